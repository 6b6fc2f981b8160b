import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Whether Debian's redis-server is here: `apt-get install redis-server`, as .ci/run does. */
export const HAS_REDIS: boolean = (() => {
  try {
    execFileSync("redis-server", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

/** A server of its own for a test, which keeps nothing. */
export async function startRedis(): Promise<{ readonly url: string; readonly server: ChildProcess }> {
  const port = await freePort();
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
  let ready = false;
  server.stdout.on("data", (text) => {
    ready ||= String(text).includes("Ready to accept connections");
  });
  for (let k = 0; !ready && k < 100; k++) await sleep(50);
  if (!ready) throw new Error("redis-server did not start");
  return { url: `redis://127.0.0.1:${port}`, server };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

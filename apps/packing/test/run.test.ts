import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { howItEnded, run, runOrThrow } from "../src/run.ts";

const RUN = new URL("../src/run.ts", import.meta.url).href;
const node = (code: string): [string, string[]] => [process.execPath, ["--input-type=module", "--eval", code]];

test("a program that fails, is ended or does not exist is told of in words", async () => {
  const failed = await run(...node("console.error('no'); process.exitCode = 3"));
  expect(howItEnded(failed)).toBe("ended with the exit status 3: no");
  const ended = await run(...node("process.kill(process.pid, 'SIGKILL')"));
  expect(howItEnded(ended)).toBe("was ended by SIGKILL.");
  expect(howItEnded(await run("no-such-program", []))).toMatch(/^could not be started: .*ENOENT/);
});

test("a program that has to succeed gives what it wrote, or throws all of it", async () => {
  expect(await runOrThrow(...node("console.log(7)"))).toBe("7\n");
  const failing = runOrThrow("node", ["--eval", "console.log('out'); console.error('err'); process.exitCode = 3"], { cwd: tmpdir() });
  await expect(failing).rejects.toThrow(/^node --eval .* in \S+ ended with the exit status 3:\nout\n\nerr\n$/);
});

test("a program has this environment and what is added to it, without the settings of this workspace's package manager", async () => {
  vi.stubEnv("RUN_TEST", "kept");
  vi.stubEnv("npm_config_user_agent", "pnpm");
  vi.stubEnv("npm_config_registry", "http://registry.invalid/");
  const names = ["RUN_TEST", "RUN_TEST_MORE", "npm_config_user_agent", "npm_config_registry"];
  const print = `console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name] ?? null)))`;
  const printed = await runOrThrow(...node(print), { env: { RUN_TEST_MORE: "added" } });
  vi.unstubAllEnvs();
  expect(JSON.parse(printed)).toEqual(["kept", "added", null, "http://registry.invalid/"]);
});

test("a program that takes too long is ended, with what it has started", async () => {
  const started = `const { spawn } = await import("node:child_process");
    const { pid } = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    console.log(pid);`;
  const late = await run(...node(started), { limit: 1500 });
  expect(late.late).toBe(1500);
  expect(howItEnded(late)).toContain("did not end within 1.5 s");
  await expectGone(Number(late.stdout));
});

test("what ends this process ends the programs, and is no result of theirs", async () => {
  const code = `const { run } = await import(${JSON.stringify(RUN)});
    run(process.execPath, ["-e", "setInterval(() => {}, 1000)"]).then(() => console.log("ended"));
    const { execFileSync } = await import("node:child_process");
    setTimeout(() => console.log(execFileSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8" }).split("\\n")[0]), 700);`;
  const driver = spawn(...node(code), { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  driver.stdout.on("data", (text) => {
    told += text;
  });
  await once(driver.stdout, "data");
  driver.kill("SIGTERM");
  const [, signal] = await once(driver, "close");
  expect(signal).toBe("SIGTERM");
  expect(told).not.toContain("ended");
  await expectGone(Number(told));
});

async function expectGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0);
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

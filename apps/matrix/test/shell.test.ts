import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { howItEnded, run, runSoundly } from "../src/shell.ts";

const SHELL = new URL("../src/shell.ts", import.meta.url).href;
const node = (code: string): string[] => [process.execPath, "--input-type=module", "--eval", code];
const options = { limit: 30_000 };

test("a program that fails, is ended or does not exist is told of in words", async () => {
  const failed = await run(node("console.error('no'); process.exitCode = 3"), options);
  expect(howItEnded(failed, options)).toBe("ended with the exit status 3: no");
  const ended = await run(node("process.kill(process.pid, 'SIGKILL')"), options);
  expect(howItEnded(ended, options)).toBe("was ended by SIGKILL.");
  await expect(runSoundly(["no-such-program"], options)).rejects.toThrow(/^no-such-program .*ENOENT/);
  expect(await runSoundly(node("console.log(7)"), options)).toBe("7\n");
});

test("a program that takes too long is ended, with what it has started", async () => {
  const started = `const { spawn } = await import("node:child_process");
    const { pid } = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    console.log(pid);`;
  const late = await run(node(started), { limit: 1500 });
  expect(late.late).toBe(true);
  expect(howItEnded(late, { limit: 1500 })).toContain("did not end within 1.5 s");
  await expectGone(Number(late.stdout));
});

test("what ends this process ends the programs, and is no result of theirs", async () => {
  const code = `const { run } = await import(${JSON.stringify(SHELL)});
    run([process.execPath, "-e", "setInterval(() => {}, 1000)"], { limit: 30000 }).then(() => console.log("ended"));
    const { execFileSync } = await import("node:child_process");
    setTimeout(() => console.log(execFileSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8" }).split("\\n")[0]), 700);`;
  const [program, ...args] = node(code);
  const driver = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
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

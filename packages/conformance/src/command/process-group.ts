import { type ChildProcess, spawnSync } from "node:child_process";

/** Whether a process can lead a group, in which is all that it starts. */
export const HAS_GROUPS: boolean = process.platform !== "win32";

/** Ends a process that leads a group, and all that it started: an adapter in another language, and the shell around it. */
export function killGroup(child: ChildProcess): void {
  const { pid, exitCode, signalCode } = child;
  if (pid === undefined) return;
  if (!HAS_GROUPS) {
    if (exitCode === null && signalCode === null) spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore" });
    return;
  }
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing is left of it, or the runtime under this command makes no groups.
    child.kill("SIGKILL");
  }
}

const running = new Set<ChildProcess>();

/** What a terminal sends on Ctrl-C reaches its own group alone. Gives what forgets the process again. */
export function endWithThisProcess(child: ChildProcess): () => void {
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, endAll);
  running.add(child);
  return () => {
    running.delete(child);
    if (running.size === 0) for (const signal of SIGNALS) process.off(signal, endAll);
  };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function endAll(signal: NodeJS.Signals): void {
  for (const child of running) killGroup(child);
  for (const each of SIGNALS) process.off(each, endAll);
  // As if nobody had listened.
  process.kill(process.pid, signal);
}

import { spawn } from "node:child_process";

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was ended since it took too long. */
  readonly late: boolean;
}

export interface ShellOptions {
  readonly cwd?: string;
  /** Milliseconds after which it is ended. */
  readonly limit: number;
}

/** The programs that run now. Each has a process group, which does not end with this process by itself. */
const running = new Set<number>();

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
}

function endAll(signal: NodeJS.Signals): void {
  for (const pid of running) endGroup(pid);
  // As if it had been left to its default.
  process.kill(process.pid, signal);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, endAll);

/** Runs a program to its end. Never throws for what it does. */
export function run([program, ...args]: readonly string[], { cwd, limit }: ShellOptions): Promise<Finished> {
  return new Promise((resolve) => {
    // A group of its own: what it has started ends with it.
    const child = spawn(program, args, { cwd, env: ownEnvironment(), stdio: ["ignore", "pipe", "pipe"], detached: true });
    if (child.pid !== undefined) running.add(child.pid);
    let [stdout, stderr, late] = ["", "", false];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const clock = setTimeout(() => {
      late = true;
      endGroup(child.pid!);
    }, limit);
    const end = (status: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(clock);
      running.delete(child.pid!);
      resolve({ status, signal, stdout, stderr, late });
    };
    child.on("error", (error) => {
      stderr += error.message;
      end(null, null);
    });
    child.on("close", end);
  });
}

/** Without what the package manager of this workspace has said to its scripts: npm would take it for its own settings. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { npm_config_registry: registry, ...others } = process.env;
  const kept = Object.fromEntries(Object.entries(others).filter(([key]) => !key.startsWith("npm_")));
  return registry === undefined ? kept : { ...kept, npm_config_registry: registry };
}

/** The same of a program that has to succeed. Gives what it wrote to stdout. @throws Error with its last lines. */
export async function runSoundly(command: readonly string[], options: ShellOptions): Promise<string> {
  const finished = await run(command, options);
  if (finished.status === 0) return finished.stdout;
  throw new Error(`${command.slice(0, 3).join(" ")} ${howItEnded(finished, options)}`);
}

/** Words that go on with the program's name. */
export function howItEnded({ status, signal, stderr, stdout, late }: Finished, { limit }: ShellOptions): string {
  const how = late
    ? `did not end within ${limit / 1000} s`
    : signal === null
      ? `ended with the exit status ${status}`
      : `was ended by ${signal}`;
  const last = (stderr.trim() || stdout.trim()).split("\n").slice(-4).join(" ").replaceAll(/\s+/g, " ").slice(-400);
  return last === "" ? `${how}.` : `${how}: ${last}`;
}

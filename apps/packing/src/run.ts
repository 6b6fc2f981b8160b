import { spawn } from "node:child_process";

/** What a program left behind. */
export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The milliseconds after which it was ended; null where it was not. */
  readonly late: number | null;
}

export interface RunOptions {
  readonly cwd?: string;
  /** What it has in its environment beside what this process has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is ended; five minutes unless told otherwise. */
  readonly limit?: number;
}

/** The programs that run now. Each has a process group, which does not end with this process by itself. */
const running = new Set<number>();

/** What ends this process, and is not left to its default while programs run. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds for a program to end what it has started in groups of its own, such as a browser. */
const GRACE = 3000;

/** Whether this process is about to end: what ends now was ended, and nobody shall draw a conclusion from it. */
let ending = false;

/** Runs a program, found on the PATH, to its end. Never throws for what it does. */
export function run(program: string, args: readonly string[], { cwd, env, limit = 300_000 }: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    // A group of its own: what it has started ends with it.
    const child = spawn(program, args, { cwd, env: { ...ownEnvironment(), ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    if (child.pid !== undefined) remember(child.pid);
    let [stdout, stderr] = ["", ""];
    let late: number | null = null;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const clock = setTimeout(() => {
      late = limit;
      void endGroup(child.pid!);
    }, limit);
    const end = (status: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(clock);
      forget(child.pid!);
      if (!ending) resolve({ status, signal, stdout, stderr, late });
    };
    child.on("error", (error) => {
      stderr += error.message;
      end(null, null);
    });
    child.on("close", end);
  });
}

/**
 * The same for a program that has to succeed. Gives what it wrote to stdout.
 *
 * @throws Error with both of its outputs when it does not.
 */
export async function runOrThrow(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await run(program, args, options);
  if (finished.status === 0) return finished.stdout;
  const where = options.cwd === undefined ? "" : ` in ${options.cwd}`;
  throw new Error(`${program} ${args.join(" ")}${where} ${endOf(finished)}:\n${finished.stdout}\n${finished.stderr}`);
}

/** Words that go on with the program's name, and its last lines. */
export function howItEnded(finished: Finished): string {
  const { stdout, stderr } = finished;
  const last = (stderr.trim() || stdout.trim()).split("\n").slice(-4).join(" ").replaceAll(/\s+/g, " ").slice(-400);
  return last === "" ? `${endOf(finished)}.` : `${endOf(finished)}: ${last}`;
}

function endOf({ status, signal, late }: Finished): string {
  if (late !== null) return `did not end within ${late / 1000} s`;
  if (signal !== null) return `was ended by ${signal}`;
  return status === null ? "could not be started" : `ended with the exit status ${status}`;
}

/** Without what the package manager of this workspace has said to its scripts: npm would take it for its own settings. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { npm_config_registry: registry, ...others } = process.env;
  const kept = Object.fromEntries(Object.entries(others).filter(([key]) => !key.startsWith("npm_")));
  return registry === undefined ? kept : { ...kept, npm_config_registry: registry };
}

function remember(pid: number): void {
  if (running.size === 0) for (const signal of SIGNALS) process.once(signal, endAll);
  running.add(pid);
}

function forget(pid: number): void {
  running.delete(pid);
  if (running.size === 0) for (const signal of SIGNALS) process.off(signal, endAll);
}

async function endAll(signal: NodeJS.Signals): Promise<void> {
  ending = true;
  await Promise.all([...running].map(endGroup));
  // As if it had been left to its default.
  process.kill(process.pid, signal);
}

/** Asks a group to end, and ends it. */
async function endGroup(pid: number): Promise<void> {
  signalGroup(pid, "SIGTERM");
  for (let waited = 0; running.has(pid) && waited < GRACE; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself meanwhile.
  }
}

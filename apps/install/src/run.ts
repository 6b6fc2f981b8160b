import { spawn } from "node:child_process";

/** What a program left behind. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd: string;
  /** What it reads from stdin. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is killed; five minutes unless told otherwise. */
  readonly timeout?: number;
}

/** Runs a program, found on the PATH, and waits for its end, whatever that is. */
export function run(program: string, args: readonly string[], { cwd, input, env, timeout = 300_000 }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, timeout, killSignal: "SIGKILL" });
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out: out.join(""), err: err.join("") }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
}

/**
 * The same for a program that has to succeed. Returns what it printed.
 *
 * @throws Error with both of its outputs when it does not.
 */
export async function runOrThrow(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { status, out, err } = await run(program, args, options);
  if (status === 0) return out;
  throw new Error(`${program} ${args.join(" ")} in ${options.cwd} ended with ${status ?? "a signal"}:\n${out}\n${err}`);
}

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { decode, encode, type Message } from "../isolated/messages.ts";
import type { Ending, StartPlace } from "../isolated/place.ts";
import { endWithThisProcess, HAS_GROUPS, killGroup } from "./process-group.ts";

/** What a process is told when it starts, besides its order. */
export interface ProcessFiles {
  /** The path of the config or adapter module. With `exec`, the command line of an adapter in another language. */
  readonly config: string;
  readonly exec?: boolean;
  /** The path of the vectors' directory. */
  readonly vectors: string;
  /** Gets what the backend prints, to either stream. */
  readonly print: (text: string) => void;
}

/** How many lines of what a process wrote last are shown when it ends by itself. */
const LAST_LINES = 12;

/** What tells this package's messages from what a backend sends by itself. */
export const PREFIX = "batchnorm-conformance:";

const CHILD: string = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "child.ts" : "child.js", import.meta.url));

/** Starts a process of its own for one backend: `process.exit`, an endless loop or a crash is that process's, and its output too. */
export function startProcess({ config, exec = false, vectors, print }: ProcessFiles): StartPlace {
  return (order, tell) => {
    const argv = [exec ? "exec" : "module", config, vectors];
    const child = fork(CHILD, argv, { stdio: ["ignore", "pipe", "pipe", "ipc"], detached: HAS_GROUPS });
    const forget = endWithThisProcess(child);
    const errors: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", print);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors.push(text);
      print(text);
    });
    child.on("message", (text) => {
      // Whatever else comes over the channel is the backend's own.
      if (typeof text === "string" && text.startsWith(PREFIX)) tell(decode<Message>(text.slice(PREFIX.length)));
    });
    child.send(encode(order));
    // "close" and not "exit": all that it wrote and told has arrived by then.
    const ended = new Promise<Ending>((resolve) => {
      child.on("error", (error) => resolve({ what: `the process could not be started: ${error.message}` }));
      child.on("close", (code, signal) => resolve(ending(code, signal, errors.join(""))));
    });
    ended.then(forget);
    return { ended, stop: () => stop(child, ended) };
  };
}

function ending(code: number | null, signal: string | null, errors: string): Ending {
  const what = signal === null ? `the process ended with exit code ${code}` : `the process was ended by ${signal}`;
  const lines = errors.trim().split("\n");
  // V8's frames that follow it are of no use to anybody here.
  const fatal = lines.find((line) => line.includes("FATAL ERROR"));
  const detail = fatal ?? lines.slice(-LAST_LINES).join("\n");
  return detail === "" ? { what } : { what, detail };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  killGroup(child);
  await ended;
}

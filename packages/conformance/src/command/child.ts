import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { isNativeError } from "node:util/types";
import { createJiti } from "jiti";
import { execBackend } from "../exec/exec-backend.ts";
import { runInside } from "../isolated/inside.ts";
import { decode, encode, type Message, type Order } from "../isolated/messages.ts";
import { stackOf } from "../stack.ts";
import { readVectors } from "../vectors/read.ts";
import { PREFIX } from "./process.ts";

// The process that `startProcess` starts: it runs one backend, and tells the one that started it how it goes.

const [kind, config, vectors] = process.argv.slice(2);

function tell(message: Message): Promise<void> {
  if (message.kind === "started" || message.kind === "loaded") leaveToBackend();
  return new Promise((resolve) => process.send!(`${PREFIX}${encode(message)}`, () => resolve()));
}

/** From here on only the backend keeps this process alive: where nothing does, what it promised never comes. */
function leaveToBackend(): void {
  process.channel?.unref();
}

/** What nobody catches would end the process, and with it the checks that are left: it is a failure of the check that runs. */
function tellUncaught(error: unknown): void {
  const stack = stackOf(error);
  const why = isNativeError(error) ? `${error.name}: ${error.message.split("\n")[0]}` : String(error);
  void tell({ kind: "uncaught", why, ...(stack !== null && { detail: stack }) });
}

process.on("uncaughtException", tellUncaught);
process.on("unhandledRejection", tellUncaught);
process.on("beforeExit", () => {
  process.channel?.ref();
  void tell({ kind: "idle" });
});
process.on("disconnect", () => process.exit());
process.once("message", (text) => {
  leaveToBackend();
  void run(decode<Order>(text as string));
});

async function run(order: Order): Promise<void> {
  await runInside(order, {
    load: async () => {
      // Who started this process watches over the time.
      if (kind === "exec") return execBackend(config, { timeout: Number.POSITIVE_INFINITY });
      // Node 20 does not import TypeScript by itself.
      const loaded = /\.[cm]?ts$/.test(config)
        ? await createJiti(import.meta.url).import(config)
        : await import(pathToFileURL(config).href);
      return (loaded as { default?: unknown }).default;
    },
    vectors: () => readVectors(vectors),
    tell,
    settle: () => new Promise((resolve) => setImmediate(resolve)),
    explain,
  });
}

/** The file and the line of a syntax error; the frames of another one. */
function explain(error: unknown): string | null {
  if (!isNativeError(error)) return null;
  // jiti has the place on a line of its own.
  const place = /^\s*(\S+:\d+:\d+)$/m.exec(error.message)?.[1];
  if (place !== undefined) return `at ${place}`;
  return error.name === "SyntaxError" ? (placeIn(error.stack) ?? placeIn(outputOfImport())) : stackOf(error);
}

/** Node writes the file, the line and a caret before the name of a syntax error. */
function placeIn(text: string | undefined): string | null {
  const before = /^([\s\S]*?:\d+\n[\s\S]*?\^+)\s*\n+SyntaxError: /.exec(text ?? "")?.[1];
  return before ?? null;
}

/** Node tells where a syntax error is only to who does not catch it, and so another process has to make it again. */
function outputOfImport(): string {
  const code = `import ${JSON.stringify(pathToFileURL(config).href)};`;
  return spawnSync(process.execPath, [...process.execArgv, "--input-type=module", "--eval", code], { encoding: "utf8" }).stderr;
}

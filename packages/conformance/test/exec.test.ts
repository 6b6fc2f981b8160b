import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { isBatchNormError } from "@batchnorm/spec";
import { beforeAll, describe, expect, it } from "vitest";
import { LineReader } from "../src/exec/lines.ts";
import { execBackend } from "../src/node.ts";
import type { BackendResult, CaseResult, Report } from "../src/report.ts";
import { buildIfStale } from "./build.ts";
import { fixture, spawnCommand } from "./run-command.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/adapter-python/", import.meta.url));

// In this rule of the contract x is empty: there the fixture does what it does, and not in the vectors.
const RULE = "contract/empty-inference";
const CHECKS = [RULE, "inference/rank2-axis1-6x3"];

beforeAll(() => buildIfStale("spec", "conformance"), 300_000);

/** The fixture as a command line. */
const adapter = (fault: string): string => `"${process.execPath}" "${fixture("exec/adapter.mjs")}" "${fault}"`;

function run(command: string, ...argv: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnCommand(["--exec", command, "--reporter", "json", ...argv], tmpdir());
}

function resultOf(stdout: string): BackendResult {
  return (JSON.parse(stdout) as Report).results[0];
}

function runFault(fault: string): { readonly rule: CaseResult; readonly other: CaseResult; readonly stderr: string } {
  const { stdout, stderr } = run(adapter(fault), ...CHECKS.flatMap((id) => ["--check", id]), "--timeout", "5");
  const { cases } = resultOf(stdout);
  const [rule, other] = CHECKS.map((id) => cases.find((each) => each.id === id)!);
  return { rule, other, stderr };
}

describe("an adapter in another process", () => {
  it("is a backend like any other, and what it does not support is skipped", () => {
    const { status, stdout } = run(adapter("none"), "--only", "5");
    const result = resultOf(stdout);
    expect([status, result.backend, result.failed, result.notRun, result.problems]).toEqual([0, "other process", 0, 0, []]);
    expect(result.passed).toBeGreaterThan(50);
    expect(result.supports).toMatchObject({ training: false, gradients: false, masks: false, out: false, nonFinite: ["propagate"] });
  });

  it.each([
    ["throws", /other process failed in inference, .* and said "nothing went wrong"/],
    ["refuses", /the backend threw BatchNormError: The adapter refused: nothing is too little for me: received "unsupported"/],
    ["exits", /the adapter ended with exit code 3: the last words/],
    [
      "prints",
      /the adapter wrote "now I normalize" to stdout, expected one line of JSON with "id": \d+\. What is for people goes to stderr/,
    ],
  ])("that %s fails the check in which it does, and the next one is run", (fault, what) => {
    const { rule, other } = runFault(fault);
    expect([rule.status, rule.failures[0].message]).toEqual(["failed", expect.stringMatching(what)]);
    expect(other.status).toBe("passed");
  });

  it("that hangs is ended, and the next check is run in a new process", () => {
    const { rule, other } = runFault("hangs");
    expect(rule).toMatchObject({ status: "failed", lost: "timed out", failures: [{ message: expect.stringContaining("within 5 s") }] });
    expect(other.status).toBe("passed");
    const left = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout;
    expect(left).not.toContain("adapter.mjs hangs");
  });

  it.skipIf(process.platform === "win32")("ends with the command, on Ctrl-C too", async () => {
    const bin = fileURLToPath(new URL("../bin/batchnorm-conformance.js", import.meta.url));
    const argv = [bin, "--exec", adapter("hangs forever"), "--check", RULE];
    const command = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
    const isThere = (): boolean => spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout.includes("adapter.mjs hangs forever");
    // Before that it would end by itself, with its stdin.
    await new Promise<void>((resolve) => command.stderr.on("data", (text) => String(text).includes("I hang") && resolve()));
    expect(isThere()).toBe(true);
    const ended = new Promise((resolve) => command.on("close", (_, signal) => resolve(signal)));
    command.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
    await expect.poll(isThere, { timeout: 5000 }).toBe(false);
  });

  it("may write to stderr", () => {
    expect(runFault("exits").stderr).toContain("the last words");
  });

  it("that answers with another shape is told so", () => {
    expect(runFault("wrong shape").other.failures[0].message).toMatch(
      /the adapter's y has the shape \[18\], expected a float32 tensor of the shape \[6, 3, 1\]/,
    );
  });
});

describe("a command that is no adapter is one sentence, and exit code 2", () => {
  it.each([
    ["no-such-program-here", /could not be loaded: the adapter ended with exit code 127: .*not found/],
    [adapter("ends at once"), /could not be loaded: the adapter ended with exit code 0\.\n$/],
    [adapter("prints at once"), /the adapter wrote "hello, I am an adapter" to stdout, expected one line of JSON with "id": 1/],
    [adapter("another version"), /the adapter speaks version 2 of the protocol, expected 1\.\n$/],
    [adapter("holds too much"), /the adapter holds "everything", expected "nothing" or "layers"\.\n$/],
    [adapter("unknown field"), /the adapter's supports has the field "masses", expected some of training, gradients, maxRank, /],
  ])("%s", (command, words) => {
    const { status, stdout, stderr } = run(command);
    expect([status, stdout]).toEqual([2, ""]);
    const last = stderr
      .trimEnd()
      .split("\n")
      .find((line) => line.includes("could not be loaded"));
    expect(`${last}\n`).toMatch(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("nor is a second adapter beside it, or none at all", () => {
    expect(spawnCommand(["--exec", "python adapter.py", "my-adapter.mjs"], tmpdir())).toMatchObject({
      status: 2,
      stderr: '--exec "python adapter.py" and my-adapter.mjs are two adapters: name one of them.\n',
    });
    expect(spawnCommand(["--exec", " "], tmpdir())).toMatchObject({
      status: 2,
      stderr: '--exec has no command, expected one such as "python adapter.py".\n',
    });
  });
});

describe("execBackend", () => {
  const command = (fault: string): string[] => [process.execPath, fixture("exec/adapter.mjs"), fault];
  const state = { parameters: { gamma: [1], beta: [0] }, statistics: { movingMean: [1], movingVariance: [4] } };
  const tensor = (...values: number[]) => ({ data: Float32Array.from(values), shape: [values.length, 1] });

  it("makes a backend of a program and its arguments", async () => {
    const backend = await execBackend(command("none"));
    const layer = backend.create({ epsilon: 1e-3 }, state);
    const y = await layer.call(backend.upload(tensor(1, 3)));
    expect(y.data[0]).toBe(0);
    expect(y.data[1]).toBeCloseTo(1, 3);
  });

  it("has a time limit of its own, and makes the next layer in a new process", async () => {
    const backend = await execBackend(command("hangs"), { timeout: 2000 });
    const layer = backend.create({}, state);
    await expect(layer.call(tensor())).rejects.toThrow(/did not answer "infer" within 2 s/);
    expect((await layer.call(tensor(1))).data[0]).toBe(0);
  });

  it("refuses with the adapter's own code", async () => {
    const backend = await execBackend(command("refuses"));
    const error = await backend
      .create({}, state)
      .call(tensor())
      .then(null, (thrown: unknown) => thrown);
    expect(isBatchNormError(error) && error.code).toBe("unsupported");
  });

  it("does not keep Node alive", () => {
    const node = new URL("../dist/node.js", import.meta.url).href;
    const code = `import { execBackend } from ${JSON.stringify(node)}; console.log((await execBackend(${JSON.stringify(command("none"))})).name);`;
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8", timeout: 20_000 });
    expect([status, stdout]).toEqual([0, "other process\n"]);
  });
});

describe("lines", () => {
  const linesOf = (...chunks: readonly string[]): string[] => {
    const lines: string[] = [];
    const reader = new LineReader(
      (line) => lines.push(line),
      () => lines.push("too long"),
    );
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    return lines;
  };

  it("end with a newline and with nothing else, wherever the stream is cut", () => {
    expect(linesOf("one\ntw", "o\n\nthr", "ee")).toEqual(["one", "two", ""]);
    expect(linesOf("a\u2028b\rc\n")).toEqual(["a\u2028b\rc"]);
    const [first, ...others] = Buffer.from("é\n");
    const lines: string[] = [];
    const reader = new LineReader(
      (line) => lines.push(line),
      () => {},
    );
    reader.push(Buffer.of(first));
    reader.push(Buffer.from(others));
    expect(lines).toEqual(["é"]);
  });

  it("without an end are given up", () => {
    expect(linesOf(...Array.from({ length: 5 }, () => "x".repeat(2 ** 26)))).toEqual(["too long"]);
  });
});

const PYTHON = process.env.PYTHON ?? "python3";

function without(module: string): string | null {
  const { status } = spawnSync(PYTHON, ["-c", `import ${module}`]);
  return status === 0 ? null : `${PYTHON} has no ${module}; another Python is named by PYTHON`;
}

describe.each([
  { name: "numpy", file: "numpy_adapter.py", holds: { gradients: true, masks: true, dtypes: ["float32", "float16", "bfloat16"] } },
  { name: "torch", file: "torch_adapter.py", holds: { gradients: true, minElements: 2 } },
])("the example $file", ({ name, file, holds }) => {
  const missing = without(name);
  it.skipIf(missing !== null)(missing === null ? "conforms in the sections that it is about" : `(skipped: ${missing})`, () => {
    const { status, stdout } = spawnCommand(["--exec", `"${PYTHON}" "${EXAMPLES}${file}"`, "--only", "4", "--reporter", "json"], tmpdir());
    const result = resultOf(stdout);
    expect(result.supports).toMatchObject({ training: true, ...holds });
    expect(result.cases.filter(({ status }) => status === "failed").map(({ id }) => id)).toEqual([]);
    expect([status, result.notRun]).toEqual([0, 0]);
    expect(result.passed).toBeGreaterThan(20);
  });
});

describe("half precision on the wire", () => {
  const missing = without("numpy");
  it.skipIf(missing !== null)(missing === null ? "reaches the adapter and comes back, in both dtypes" : `(skipped: ${missing})`, () => {
    const command = `"${PYTHON}" "${EXAMPLES}numpy_adapter.py"`;
    const { stdout } = spawnCommand(["--exec", command, "--only", "13.3", "--quick", "--reporter", "json"], tmpdir());
    const { cases } = resultOf(stdout);
    expect(cases.filter(({ status }) => status === "failed").map(({ id, failures }) => `${id}: ${failures[0].message}`)).toEqual([]);
    expect(cases.filter(({ id, status }) => id.startsWith("half/") && status === "passed").length).toBeGreaterThan(25);
  });

  it("is no dtype of an answer where x is float32", () => {
    expect(runFault("half y").other.failures[0].message).toMatch(
      /the adapter's y has the dtype "float16", expected a float32 tensor of the shape \[6, 3, 1\]/,
    );
  });
});

it("the page of the protocol names every request, and every field of the manifest", () => {
  const page = readFileSync(new URL("../docs/exec-protocol.md", import.meta.url), "utf8");
  const source = ["functions", "layers", "exec-backend", "introduction"]
    .map((name) => readFileSync(new URL(`../src/exec/${name}.ts`, import.meta.url), "utf8"))
    .join("\n");
  const ops = [...source.matchAll(/(?:request\((?:layer, )?|forward\()"(\w+)"/g)].map(([, op]) => op);
  expect(new Set(ops)).toEqual(new Set(["hello", "infer", "train", "backward", "create", "call", "state", "setState", "dispose"]));
  const limits = /const LIMITS = \[([^\]]*)\]/.exec(source)![1].match(/\w+/g)!;
  for (const name of [...ops, ...limits]) expect(page).toContain(`\`${name}\``);
});

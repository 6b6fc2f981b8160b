import { readFileSync, writeFileSync } from "node:fs";
import { readModelFile } from "@batchnorm/onnx-model/node";
import { EXTERNAL } from "@batchnorm/onnx-model/proto";
import { BatchNormError } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import { writeModelFile } from "../src/files.ts";
import { foldAndExecute } from "../src/fold-execution.ts";
import { renderFold } from "../src/fold-report.ts";
import { loadRuntime } from "../src/runtime.ts";
import { VERSION } from "../src/version.ts";
import { batchnorm, fixture, temporaryFolder } from "./run.ts";

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");
const mixed = fixture("torch/resnet18-torchscript-preserve-mixed.onnx");

describe("inspect", () => {
  it("fails under --strict on a warning, and not on notes", async () => {
    const notes = await batchnorm("inspect", digits, "--strict");
    expect(notes.out).toContain("note     foreign-epsilon: pixel_norm: ");
    expect(notes.status).toBe(0);
    const { status, out } = await batchnorm("inspect", mixed, "--strict");
    expect(out).toContain("warning  training-mode: bn1: ");
    expect(status).toBe(1);
    expect((await batchnorm("inspect", mixed)).status).toBe(0);
  });

  it("says where layers in branches are, what was folded away, and what is none", async () => {
    expect((await batchnorm("inspect", fixture("handmade/if-branches.onnx"))).out).toContain("bn_else (in if/else_branch)");
    expect((await batchnorm("inspect", fixture("torch/resnet18-dynamo-eval.onnx"))).out).toContain(
      "Folded away before the file was written:\n",
    );
    expect((await batchnorm("inspect", fixture("torch/instance-norm-dynamo.onnx"))).out).toContain(
      "Looks like one and is none:\n  instance-norm: ",
    );
  });

  it("writes a page that needs nothing else, with a picture for every array", async () => {
    expect((await batchnorm("inspect", digits, "--html", file("digits.html"))).status).toBe(0);
    const page = readFileSync(file("digits.html"), "utf8");
    expect(page.match(/<section /g)).toHaveLength(5);
    expect(page.match(/<figure><svg /g)).toHaveLength(20);
    // One range a layer in the table, and a link to what is said of the layer.
    expect(page.match(/<svg class="range" /g)).toHaveLength(5);
    expect(page.match(/<a href="#layer-\d">/g)).toHaveLength(5);
    expect(page).toContain("<b>variance</b>: 0.1371 .. 0.5465<span>; logarithmic</span></figcaption>");
    expect(page).toContain("Does not fold (padding): The Conv after the layer pads with zeros");
    expect(page).not.toMatch(/src=|<script|<link|url\(/);
    expect((await batchnorm("inspect", fixture("handmade/non-finite-statistics.onnx"), "--html", file("nan.html"))).status).toBe(0);
    expect(readFileSync(file("nan.html"), "utf8")).toMatch(/, \d not finite<span>/);
  });

  it("escapes names on the page, which anybody may have made", async () => {
    const graph = new Uint8Array(readFileSync(digits));
    const name = "stem_norm";
    const evil = '<b>&"x<b>';
    let text = Buffer.from(graph).toString("latin1");
    expect(evil.length).toBe(name.length);
    text = text.replaceAll(name, evil);
    writeFileSync(file("evil.onnx"), Buffer.from(text, "latin1"));
    expect((await batchnorm("inspect", file("evil.onnx"), "--html", file("evil.html"))).status).toBe(0);
    const page = readFileSync(file("evil.html"), "utf8");
    expect(page).toContain("&lt;b&gt;&amp;&quot;x&lt;b&gt;");
    expect(page).not.toContain(evil);
  });

  it("shows names that would break its lines or steer the terminal, and does not obey them", async () => {
    const evil = "a\nb\u001b[2Jxyz";
    const bytes = Buffer.from(readFileSync(digits).toString("latin1").replaceAll("pixel_norm", evil), "latin1");
    writeFileSync(file("steering.onnx"), bytes);
    const shown = String.raw`a\nb\u001b[2Jxyz`;
    for (const argv of [
      ["inspect", file("steering.onnx")],
      ["fold", file("steering.onnx"), "--out", file("steering-folded.onnx")],
      ["state", "read", file("steering.onnx")],
      ["freeze", file("steering.onnx"), "--all", "--out", file("steering-frozen.onnx")],
    ]) {
      const { status, out } = await batchnorm(...argv);
      expect([argv[0], status]).toEqual([argv[0], 0]);
      expect(out).toContain(shown);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out.
      expect(out).not.toMatch(/\u001b|a\nb/);
    }
    const { layers } = JSON.parse((await batchnorm("inspect", file("steering.onnx"), "--json")).out);
    expect(layers[0].name).toBe(evil);
    const unknown = await batchnorm("freeze", digits, "--layer", evil, "--out", file("no.onnx"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out.
    expect(unknown.err).toMatch(/^batchnorm: [^\n\u001b]*\n$/);
  });

  it("fills in what the exporter left out from a weight file beside the model, and checks it", async () => {
    const [model, weights] = [fixture("keras/digits.onnx"), fixture("keras/digits.keras")];
    expect((await batchnorm("inspect", model)).out).toMatch(/^digits_1\/dense_norm_1 .* MatMul {2}Relu {5,}- {9}- {2}into MatMul$/m);
    const { status, out } = await batchnorm("inspect", model, "--weights", weights, "--strict", "--html", file("weights.html"));
    expect(out).toMatch(/^digits_1\/dense_norm_1 .* 0\.002 .* -1\.95 \.\. 1\.53 {4}0\.137 \.\. 0\.547 {2}into MatMul {2}dense_norm$/m);
    expect(out).toContain("\ndigits.keras (keras): 4 of 5 states belong to layers above\n");
    expect(status).toBe(0);
    // The pictures are of the weight file's arrays: one layer there has no gamma, one no beta.
    expect(readFileSync(file("weights.html"), "utf8").match(/<figure><svg /g)).toHaveLength(14);
    const { layers } = JSON.parse((await batchnorm("inspect", model, "--weights", weights, "--json")).out);
    expect(layers[3].weights).toMatchObject({ state: "dense_norm", matchedBy: "name", agrees: { multiplier: true } });
  });

  it("fails under --strict where the weight file is not that of the model", async () => {
    const recalibrated = file("recalibrated.onnx");
    await batchnorm("recalibrate", digits, "--data", fixture("recalibration/images-0.npy"), "--layer", "dense_norm", "--out", recalibrated);
    const { status, out } = await batchnorm("inspect", recalibrated, "--weights", fixture("keras/digits.keras"), "--strict");
    expect(out).toContain(
      'warning  weights-disagree: dense_norm: movingMean is not that of the weights of "dense_norm" in 16 of 16 channels.',
    );
    expect(out).not.toContain("weights-disagree: stem_norm");
    expect(status).toBe(1);
    const { err } = await batchnorm("inspect", digits, "--weights", digits);
    expect(err).toMatch(/^batchnorm: (invalid-file|unsupported-format): digits\.onnx: /);
  });

  it("gives the whole report as JSON", async () => {
    const { layers, findings } = JSON.parse((await batchnorm("inspect", digits, "--json")).out);
    expect(layers.map(({ name }: { name: string }) => name)).toEqual(["pixel_norm", "stem_norm", "depth_norm", "point_norm", "dense_norm"]);
    expect(findings.map(({ code }: { code: string }) => code)).toEqual(["foreign-epsilon", "foreign-epsilon"]);
  });
});

describe("state", () => {
  it("reads states, and writes them back to the same bytes", async () => {
    const read = await batchnorm("state", "read", digits, "--out", file("states.json"));
    expect(read.out).toContain("dense_norm        16  0.002    0.9       1.139 .. 1.694   -1.946 .. 1.532    0.1371 .. 0.5465\n");
    const { status, out } = await batchnorm("state", "write", digits, file("states.json"), "--out", file("same.onnx"));
    expect(out).toContain("dense_norm  nothing  -\n");
    expect(status).toBe(0);
    expect(readFileSync(file("same.onnx")).equals(readFileSync(digits))).toBe(true);
  });

  it("writes the states of a weight file into a model with layers of the same names", async () => {
    const weights = await batchnorm("weights", fixture("keras/digits.keras"), "--json");
    writeFileSync(file("weights.json"), weights.out);
    expect((await batchnorm("state", "write", digits, file("weights.json"), "--out", file("keras.onnx"))).status).toBe(0);
    const states = async (path: string) => JSON.parse((await batchnorm("state", "read", path, "--json")).out).states;
    const [before, after] = [await states(digits), await states(file("keras.onnx"))];
    // The fixture was made from these weights.
    expect(after.stem_norm.statistics).toEqual(before.stem_norm.statistics);
    expect(after.stem_norm.parameters).toEqual(before.stem_norm.parameters);
  });

  it("fails under --strict where a state cannot be read, and says why", async () => {
    const { status, out } = await batchnorm("state", "read", fixture("keras/digits.onnx"), "--strict");
    expect(status).toBe(1);
    expect(out).toMatch(/: missing-arrays: The file does not have /);
  });

  it("refuses JSON without states, and a layer that the model does not have", async () => {
    writeFileSync(file("empty.json"), "{}");
    const empty = await batchnorm("state", "write", digits, file("empty.json"), "--out", file("never.onnx"));
    expect(empty.err).toMatch(/^batchnorm: invalid-argument: The file has no states: received .*\.\n$/);
    expect(empty.status).toBe(2);
    writeFileSync(file("text.json"), "{");
    expect((await batchnorm("state", "write", digits, file("text.json"), "--out", file("never.onnx"))).err).toContain(
      "The file is not JSON",
    );
  });
});

describe("freeze", () => {
  it("has to be told which layers", async () => {
    const { status, err } = await batchnorm("freeze", mixed, "--out", file("never.onnx"));
    expect(err).toContain("invalid-argument: freeze has to be told which layers");
    expect(status).toBe(2);
    expect((await batchnorm("freeze", mixed, "--all", "--layer", "bn1", "--out", file("never.onnx"))).status).toBe(2);
  });

  it("freezes one layer, or all", async () => {
    const modes = async (path: string): Promise<string[]> =>
      JSON.parse((await batchnorm("inspect", path, "--json")).out).layers.map(({ mode }: { mode: string }) => mode);
    const training = (await modes(mixed)).filter((mode) => mode === "training").length;
    expect((await batchnorm("freeze", mixed, "--layer", "bn1", "--out", file("one.onnx"))).status).toBe(0);
    expect((await modes(file("one.onnx"))).filter((mode) => mode === "training")).toHaveLength(training - 1);
    const { out } = await batchnorm("freeze", mixed, "--all", "--out", file("all.onnx"));
    expect(out).toContain("layer4.1.bn1           frozen");
    expect(await modes(file("all.onnx"))).not.toContain("training");
  });

  it("fails under --strict where a layer stays in training mode", async () => {
    const spelledOut = fixture("keras/digits-training.onnx");
    const { status, out } = await batchnorm("freeze", spelledOut, "--all", "--strict", "--out", file("kept.onnx"));
    expect(out).toContain("still in training mode  no-statistics: ");
    expect(status).toBe(1);
  });
});

describe("fold", () => {
  it("folds what can be, and says of the rest why not", async () => {
    const { status, out } = await batchnorm("fold", digits, "--out", file("folded.onnx"));
    expect(status).toBe(0);
    expect(out).toMatch(/^dense_norm {2}MatMul \/dense\/MatMul {3}backward {3}\d\.\de-[5-9] {2}\d\.\de-[1-3] {2}added an Add$/m);
    expect(out).toContain("Executed on onnxruntime-node: 4 of 4 folds within bounds.\nOutput digit: ");
    expect(out).toContain("pixel_norm  padding  The Conv after the layer pads with zeros");
    expect((await batchnorm("inspect", file("folded.onnx"))).out).toContain("1 batch normalization\n");
    expect((await batchnorm("fold", digits, "--strict", "--out", file("folded.onnx"))).status).toBe(1);
  });

  it("folds chosen layers, and says what float16 costs", async () => {
    const { out } = await batchnorm("fold", digits, "--layer", "stem_norm", "--float16", "--out", file("half.onnx"));
    expect(out).not.toContain("dense_norm");
    expect(out).toMatch(/^float16: \d+ nodes converted, /m);
    expect(out).toMatch(/^Output digit: \d\.\de-[1-3] from float32's, in float16, whose largest magnitude is /m);
    const unknown = await batchnorm("fold", digits, "--layer", "nobody", "--out", file("never.onnx"));
    expect(unknown.err).toMatch(/^batchnorm: invalid-argument: The model has no such layer: received "nobody", expected /);
  });
});

describe("what fold executes", () => {
  const images = fixture("recalibration/images-0.npy");
  const padded = fixture("handmade/conv-bn.onnx");

  it("takes inputs from files, and random ones of a seed and shape", async () => {
    const read = async (...more: string[]) =>
      JSON.parse((await batchnorm("fold", digits, ...more, "--json", "--out", file("folded.onnx"))).out).execution;
    const [given, seven, again] = [await read("--input", images), await read("--random", "7"), await read("--random", "7")];
    expect([given.runtime, given.passed, given.executed.length]).toEqual(["onnxruntime-node", true, 4]);
    expect(given.executed.map(({ error, bound }: { error: number; bound: number }) => error <= bound)).toEqual([true, true, true, true]);
    expect(seven).toEqual(again);
    expect(seven.executed).not.toEqual(given.executed);
    const [{ elements }] = (await read("--shape", "image=1,1,8,8")).outputs;
    expect(elements).toBe(10);
  });

  it("refuses data that the model does not take", async () => {
    for (const [argv, message] of [
      [["--input", fixture("recalibration/npy-float32.npy")], "runtime-failure: The runtime failed"],
      [["--input", "nowhere.npy"], "invalid-file: The data could not be read"],
      [["--input", images, "--shape", "image=1,1,8,8"], "invalid-argument: Shapes are those of the data"],
      [["--shape", "image=1,2"], "runtime-failure: The runtime failed"],
    ] as const) {
      const { status, err } = await batchnorm("fold", digits, ...argv, "--out", file("never.onnx"));
      expect(err).toContain(`batchnorm: ${message}`);
      expect(status).toBe(2);
    }
  });

  it("says so, visibly, where no runtime is installed, and folds all the same", async () => {
    const model = await readModelFile(padded);
    const load = (provider: string) => Promise.reject(new BatchNormError("unsupported", "no runtime", provider, "one"));
    const { result, execution } = await foldAndExecute(model, {}, { random: 0 }, load);
    expect(result.report.folded).toHaveLength(1);
    expect(renderFold(result.report, execution)).toContain(
      "Nothing was executed: neither onnxruntime-node nor onnxruntime-web is installed beside @batchnorm/cli",
    );
  });

  it("takes onnxruntime-web where onnxruntime-node is missing", async () => {
    const model = await readModelFile(padded);
    const load = (provider: string) =>
      provider === "cpu" ? Promise.reject(new BatchNormError("unsupported", "", "", "")) : loadRuntime(provider);
    const { execution } = await foldAndExecute(model, {}, { random: 0 }, load);
    expect(execution).toMatchObject({ runtime: "onnxruntime-web", passed: true, executed: [{ layer: "bn" }] });
  });

  it("says so where the runtime does not run the model on inputs that were made up, and fails for it under --strict", async () => {
    const strided = fixture("keras-jax/digits.onnx");
    const { status, out } = await batchnorm("fold", strided, "--out", file("strided.onnx"));
    expect(out).toMatch(/^Nothing was executed: runtime-failure: .* --input or --shape give it inputs that it takes\.$/m);
    expect(status).toBe(0);
    expect((await batchnorm("fold", strided, "--strict", "--out", file("strided.onnx"))).status).toBe(1);
  });
});

describe("weights", () => {
  it("lists the layers of a file", async () => {
    const { status, out } = await batchnorm("weights", fixture("keras/digits.keras"));
    expect(status).toBe(0);
    expect(out).toContain("keras, 5 layers\n");
    expect(out).toContain("depth_norm  layers/batch_normalization_2         6  0.00001  0.8       float32    -\n");
  });
});

describe("every command", () => {
  it.each([
    [["inspect", "nowhere.onnx"], /^batchnorm: invalid-file: The model could not be read: .*ENOENT.*\.\n$/],
    [["inspect"], /^batchnorm: wrong-use: missing required argument 'model'\.\n$/],
    [["inspect", digits, "--what"], /^batchnorm: wrong-use: unknown option '--what'\.\n$/],
    [["inspekt"], /^batchnorm: wrong-use: unknown command 'inspekt'/],
    [["fold", digits], /^batchnorm: wrong-use: required option '--out <file>' not specified\.\n$/],
    [["weights", "nowhere.keras"], /^batchnorm: invalid-file: The weight file could not be read: .*ENOENT.*\.\n$/],
    [["weights", digits], /^batchnorm: (invalid-file|unsupported-format): digits\.onnx: .*\.\n$/],
    [["inspect", fixture("keras/digits.keras")], /^batchnorm: invalid-file: digits\.keras: .*\.\n$/],
    [["freeze", digits, "--all", "--out", file("no/such/folder.onnx")], /^batchnorm: invalid-argument: The folder does not exist: .*\.\n$/],
  ])("says in one sentence with a code what is wrong with %j", async (argv, message) => {
    const { status, out, err } = await batchnorm(...argv);
    expect(err).toMatch(message);
    expect(out).toBe("");
    expect(status).toBe(2);
  });

  it("says its version, which is the package's, and its exit codes", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(await batchnorm("--version")).toEqual({ status: 0, out: `${version}\n`, err: "" });
    expect(VERSION).toBe(version);
    for (const command of [
      ["inspect"],
      ["state", "read"],
      ["state", "write"],
      ["freeze"],
      ["fold"],
      ["recalibrate"],
      ["merge"],
      ["weights"],
    ]) {
      const { status, out } = await batchnorm(...command, "--help");
      expect(status).toBe(0);
      expect(out).toContain("Examples:\n");
      expect(out).toContain("Exit codes:\n");
    }
  });

  it("moves a model with data beside it out of its folder only with that data, so not at all", async () => {
    const external = fixture("handmade/external-data.onnx");
    const { status, err } = await batchnorm("freeze", external, "--all", "--out", file("moved.onnx"));
    expect(err).toContain("The model has data in files beside it and would lose them");
    expect(status).toBe(2);
  });

  it("nor with data of a function beside it", async () => {
    const path = fixture("handmade/function-constants.onnx");
    const model = await readModelFile(path);
    const constants = model.proto.functions.flatMap(({ node }) => node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? [])));
    expect(constants.length).toBeGreaterThan(0);
    await writeModelFile(model, path, file("function.onnx"));
    constants[0].dataLocation = EXTERNAL;
    await expect(writeModelFile(model, path, file("function.onnx"))).rejects.toThrow("would lose them");
  });
});

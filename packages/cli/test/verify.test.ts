import { describe, expect, it } from "vitest";
import { batchnorm, fixture, temporaryFolder } from "./run.ts";

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");
const untrained = fixture("handmade/training-equal-initializers.onnx");
const branches = fixture("handmade/if-branches.onnx");

describe("verify", () => {
  it("passes a model that the runtime computes rightly, on random inputs and on data", async () => {
    for (const more of [[], ["--random", "7", "--shape", "image=2,1,8,8"], ["--data", fixture("recalibration/images-1.npy")]]) {
      const { status, out, err } = await batchnorm("verify", digits, ...more);
      expect(err).toBe("");
      expect(out).toContain("\ncpu: 5 of 5 layers right\n");
      expect(status).toBe(0);
    }
  });

  it("fails where onnxruntime shares the constants of an untrained layer, and says node, channel and value", async () => {
    const { status, out } = await batchnorm("verify", untrained);
    expect(status).toBe(1);
    expect(out).toMatch(
      /^first \(node first\) is wrong in \d+ of 300 elements, channels 0, 1, 2; worst in channel \d at \d+: x \S+ gave \S+, not /m,
    );
    expect(out).toContain("\ncpu: 0 of 2 layers right\n");
    expect((await batchnorm("verify", untrained, "--optimization", "disabled")).status).toBe(0);
  });

  it("holds several execution providers against the spec, each on its own", async () => {
    const { status, out } = await batchnorm("verify", digits, "--ep", "cpu", "wasm", "--json");
    expect(status).toBe(0);
    const { providers: results, comparisons } = JSON.parse(out);
    expect(Object.keys(results)).toEqual(["cpu", "wasm"]);
    expect(Object.keys(comparisons)).toEqual(["cpu against wasm"]);
    for (const { passed, layers } of Object.values(results) as { passed: boolean; layers: unknown[] }[])
      expect([passed, layers.length]).toEqual([true, 5]);
  });

  it("says what was not checked, and fails for it under --strict", async () => {
    // --random 0 takes one of the two branches.
    const { status, out } = await batchnorm("verify", branches);
    expect(out).toMatch(/bn_(then|else): not checked: not-executed: /);
    expect(out).toContain("cpu: 1 of 1 layer right\n");
    expect(status).toBe(0);
    expect((await batchnorm("verify", branches, "--strict")).status).toBe(1);
  });

  it("compares two execution providers with each other", async () => {
    const { status, out } = await batchnorm("verify", digits, "--ep", "cpu,wasm", "--tolerance", "1e-5");
    expect(status).toBe(0);
    const [, table] = out.split("\ncpu against wasm\n\n");
    expect(table).toMatch(/^layer {3}dense_norm +\S+ +\d\.\de-6 /m);
    expect(table).toMatch(/^output {2}digit /m);
    expect(table).toContain("the outputs are within the tolerance\n");
    // Two runtimes that agree in every bit would be one.
    expect((await batchnorm("verify", digits, "--ep", "cpu", "wasm", "--tolerance", "0")).status).toBe(1);
  });

  it("compares two models", async () => {
    await batchnorm("fold", digits, "--out", file("folded.onnx"));
    const { status, out } = await batchnorm("verify", digits, "--against", file("folded.onnx"), "--tolerance", "1e-5");
    expect(status).toBe(0);
    expect(out).toContain("only in one of the two: layer stem_norm, layer depth_norm, layer point_norm, layer dense_norm\n");
    await batchnorm("recalibrate", digits, "--data", fixture("recalibration/images-1.npy"), "--out", file("other.onnx"));
    const other = await batchnorm("verify", digits, "--against", file("other.onnx"), "--tolerance", "1e-5", "--json");
    expect(other.status).toBe(1);
    const [{ values, passed }] = Object.values(JSON.parse(other.out).comparisons) as [{ values: { kind: string }[]; passed: boolean }];
    expect([passed, values.length, values[5].kind]).toEqual([false, 6, "output"]);
    // Without a tolerance nothing is judged.
    expect((await batchnorm("verify", digits, "--against", file("other.onnx"))).status).toBe(0);
    expect((await batchnorm("verify", digits, "--against", untrained)).err).toContain("invalid-argument: An input of the model is missing");
  });

  it.each([
    [["--ep", "nonsense"], "runtime-failure: The runtime does not take the model"],
    [["--tolerance", "1"], "invalid-argument: There is nothing to compare with"],
    [["--tolerance", "-1"], "wrong-use: option '--tolerance <share>' argument '-1' is invalid."],
    [["--against", "nowhere.onnx"], "nowhere.onnx"],
    [["--random", "x"], "wrong-use: option '--random <seed>' argument 'x' is invalid."],
    [["--shape", "image"], "wrong-use: option '--shape <input=sizes...>' argument 'image' is invalid."],
    [["--shape", "image=1,2"], "runtime-failure: The runtime failed"],
    [["--data", fixture("recalibration/npy-empty.npy")], "invalid-argument: The data has no samples"],
    [["--data", digits, "--shape", "image=1,1,8,8"], "invalid-argument: Shapes are those of the data"],
  ])("refuses %j", async (argv, message) => {
    const { status, err } = await batchnorm("verify", digits, ...argv);
    expect(err).toMatch(/^batchnorm: [a-z-]+: /);
    expect(err).toContain(message);
    expect(status).toBe(2);
  });
});

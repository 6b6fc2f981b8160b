import { describe, expect, it } from "vitest";
import { batchnorm, fixture } from "./run.ts";

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
    const results = JSON.parse(out);
    expect(Object.keys(results)).toEqual(["cpu", "wasm"]);
    for (const { passed, layers } of Object.values(results) as { passed: boolean; layers: unknown[] }[])
      expect([passed, layers.length]).toEqual([true, 5]);
  });

  it("says what was not checked, and fails for it under --strict", async () => {
    const { status, out } = await batchnorm("verify", branches);
    expect(out).toContain("bn_else: not checked: in-branch: ");
    expect(out).toContain("cpu: nothing could be checked\n");
    expect(status).toBe(0);
    expect((await batchnorm("verify", branches, "--strict")).status).toBe(1);
  });

  it.each([
    [["--ep", "nonsense"], "runtime-failure: The runtime does not take the model"],
    [["--random", "x"], "wrong-use: option '--random <seed>' argument 'x' is invalid."],
    [["--shape", "image"], "wrong-use: option '--shape <input=sizes...>' argument 'image' is invalid."],
    [["--shape", "image=1,2"], "runtime-failure: The runtime failed"],
    [["--data", fixture("recalibration/npy-empty.npy")], "invalid-argument: The data has no samples"],
    [["--data", digits, "--shape", "image=1,1,8,8"], "invalid-argument: Shapes are those of the data"],
  ])("refuses %j", async (argv, message) => {
    const { status, err } = await batchnorm("verify", digits, ...argv);
    expect(err).toContain(`batchnorm: ${message}`);
    expect(status).toBe(2);
  });
});

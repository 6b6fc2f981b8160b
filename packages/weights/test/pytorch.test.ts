import { expect, test } from "vitest";
import { readWeights } from "../src/index.ts";
import { readWeightsFile } from "../src/node.ts";
import { expectValues, refusalOf } from "./expect-layers.ts";
import { bytesOf, pathOf, truthOf } from "./files.ts";

test.each(["pytorch/net.safetensors", "pytorch/net.safetensors.index.json"])("%s has the modules of the state_dict", async (name) => {
  const { layers } = await readWeightsFile(pathOf(name));
  const truth = truthOf("pytorch/net");
  expect(layers.map((layer) => layer.name).sort()).toEqual(truth.map((layer) => layer.name).sort());
  for (const wanted of truth) {
    const layer = layers.find((each) => each.name === wanted.name)!;
    expect(layer).toMatchObject({ framework: "pytorch", recognizedBy: "name", assumed: ["momentum", "epsilon", "trainable"] });
    expect(layer.config).toMatchObject({
      axis: 1,
      momentum: 0.9,
      epsilon: 1e-5,
      varianceEstimator: "sample",
      scale: wanted.gamma !== null,
    });
    if (wanted.name === "double") expect(layer.reason).toMatchObject({ code: "unknown-dtype" });
    else expectValues(layer, wanted);
  }
});

test("half precision is told and widened", async () => {
  const { layers } = await readWeights(bytesOf("pytorch/net.safetensors"));
  const types = Object.fromEntries(layers.map(({ name, storedAs }) => [name, storedAs]));
  expect(types).toMatchObject({ stem: "float32", half: "float16", brain: "bfloat16", double: "float64" });
});

test.each(["pytorch/stem.pt", "pytorch/stem.old.pt"])("%s is a pickle, and says what to do", async (name) => {
  const error = await refusalOf(() => readWeights(bytesOf(name)));
  expect(error.code).toBe("unsupported-format");
  expect(error.message).toContain("safetensors.torch.save_file(");
});

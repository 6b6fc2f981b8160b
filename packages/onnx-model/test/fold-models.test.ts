import { describe, expect, test } from "vitest";
import { boundFor, type FoldedLayer, find, fold, type OnnxModel, readModel, writeModel } from "../src/index.ts";
import type { NodeProto } from "../src/proto/index.ts";
import { bytesOf, type KnownModel, MODELS, modelOf, tensorsOf } from "./fixtures.ts";
import { type Data, differences, largest, runModel } from "./run-model.ts";

function inputsOf(known: KnownModel): Record<string, Data> {
  const tensors = tensorsOf(known.tensors);
  return Object.fromEntries(
    Object.entries(known.inputs).map(([name, input]) => [name, { ...input, data: tensors.get(`input/${name}`)!.data }]),
  );
}

const nodeOf = (model: OnnxModel, name: string): NodeProto | undefined => model.proto.graph!.node.find((node) => node.name === name);

/**
 * The value that a fold promises something of, as the original has it, what the folded node reads, and along which axis
 * channels lie.
 */
function judged(model: OnnxModel, { into, direction }: FoldedLayer, layer: { input: string; output: string; axis: number }) {
  const linear = nodeOf(model, into.node)!;
  const onLeft = into.operator === "MatMul" && model.proto.graph!.initializer.some(({ name }) => name === linear.input[0]);
  const data = linear.input[onLeft ? 1 : 0];
  const outputAxis = into.operator === "MatMul" ? (onLeft ? -2 : -1) : 1;
  return direction === "backward"
    ? { x: data, y: layer.output, axis: layer.axis }
    : { x: layer.input, y: linear.output[0], axis: outputAxis };
}

/**
 * Whether there is a node with weights somewhere beyond one that is not linear: makers of models do not look as far.
 */
function vague(text: string): string {
  return text.replace(/ (?:no-neighbour|not-linear)$/, " nothing near");
}

describe("every model with something to fold", () => {
  const foldable = MODELS.filter(({ layers }) => layers.length > 0);
  test.each(foldable.map((known) => [known.id, known] as const))("%s: what its maker says, and the same outputs", async (_, known) => {
    const model = modelOf(known);
    const { layers } = await find(model);
    const { model: folded, report } = await fold(model);
    const nodeOfLayer = ({ layer, scope }: { layer: string; scope: string }): string =>
      layers.find((each) => each.name === layer && each.scope === scope)!.nodes[0];
    const got = [
      ...report.folded.map((each) => `${nodeOfLayer(each)} ${each.direction} ${each.into.node}`),
      ...report.kept.map((each) => `${nodeOfLayer(each)} ${each.code}`),
    ];
    const wanted = known.layers
      .filter(({ form }) => form !== "folded" && form !== "instance-norm")
      .map(({ node, fold: { possible, direction, into, reason } }) => (possible ? `${node} ${direction} ${into}` : `${node} ${reason}`));
    expect(got.map(vague).sort()).toEqual(wanted.map(vague).sort());
    if (report.folded.length === 0) {
      expect(Buffer.compare(writeModel(folded), bytesOf(known))).toBe(0);
      return;
    }
    // It is a model, the layers are gone, and what is left of them says so.
    const again = await find(readModel(writeModel(folded)));
    expect(again.layers.length).toBe(report.kept.length);
    // onnxruntime does not run every model, folded or not.
    if (typeof known.onnxruntime.disabled === "string" && !known.id.startsWith("handmade/float16")) return;
    const inputs = inputsOf(known);
    const outputs = Object.keys(known.outputs);
    const results = await runModel(folded, inputs, outputs);
    for (const name of outputs) {
      const truth = { ...results[name], data: tensorsOf(known.tensors).get(`output/${name}`)!.data };
      expect(results[name].shape).toEqual(known.outputs[name].shape);
      // Looser than the bound of each layer, which is checked below, and far below what a wrong weight gives.
      const tolerance = (known.inputs.x?.type === "float16" ? 2 ** -6 : 2 ** -15) * Math.max(1, largest(truth));
      expect(Math.max(...differences(results[name], truth, 0))).toBeLessThan(tolerance);
    }
  });

  const single = foldable
    .filter(({ id, layers }) => layers.every(({ graph }) => graph === "") && !/external|float16|training/.test(id))
    .filter(({ onnxruntime: { disabled } }) => typeof disabled === "number");
  test.each(single.map((known) => [known.id, known] as const))("%s: each fold within its bound", async (_, known) => {
    const model = modelOf(known);
    const { layers } = await find(model);
    // Of ResNet-18 and its like some layers are enough: every pair of runs takes a session each.
    const step = Math.ceil(layers.length / 6);
    for (const { name, input, output, axis } of layers.filter((_, k) => k % step === 0)) {
      // One layer at a time, so that what is compared differs by one fold.
      const { model: folded, report } = await fold(model, { layers: [name] });
      for (const each of report.folded) {
        const { x, y, axis: at } = judged(model, each, { input: input.value, output: output.value, axis });
        const before = await runModel(model, inputsOf(known), [x, y]);
        const after = await runModel(folded, inputsOf(known), [y]);
        const bound = boundFor(each.bound, largest(before[x]));
        for (const [channel, difference] of differences(before[y], after[y], at).entries()) {
          expect(difference, `channel ${channel}`).toBeLessThanOrEqual(bound[channel]);
          expect(bound[channel]).toBeLessThan(Number.POSITIVE_INFINITY);
        }
      }
    }
  });
});

import { describe, expect, test } from "vitest";
import { type FoundLayer, find, type Numbers } from "../src/index.ts";
import { type KnownLayer, MODELS, modelOf, tensorsOf } from "./fixtures.ts";

/** What both the maker of a model and `find` say of a layer, in one form. */
function ofKnown(layer: KnownLayer) {
  const { form, mode, graph, node, channels, epsilon, momentum, readable } = layer;
  const known = readable.includes("epsilon") ? Math.fround(epsilon!) : null;
  // A file holds float32 numbers, and a formula no momentum.
  const stored = momentum === null || form !== "BatchNormalization" ? null : Math.fround(momentum);
  return { form, mode, scope: graph, node, channels, epsilon: known, momentum: stored, readable: [...readable].sort() };
}

function ofFound({ form, mode, scope, nodes, channels, epsilon, momentum, parameters, statistics }: FoundLayer) {
  // Keras on PyTorch adds zeros where a layer has no beta: the makers say what the layer has.
  const isThere = (name: string, values: Numbers | null): boolean =>
    values !== null && !(form === "Sub+Mul+Add" && name === "beta" && values.every((value) => value === 0));
  const arrays = Object.entries({ ...parameters, ...statistics }).flatMap(([name, values]) => (isThere(name, values) ? [name] : []));
  const readable = [...arrays, ...(epsilon === null ? [] : ["epsilon"])].sort();
  return { form, mode, scope, node: nodes[0], channels, epsilon, momentum, readable };
}

describe("every layer of every model, and nothing else", () => {
  test.each(MODELS.map((known) => [known.id, known] as const))("%s", async (_, known) => {
    const { layers, traces, lookalikes } = await find(modelOf(known));
    const nodesOf = (form: string): string[] => known.layers.filter((layer) => layer.form === form).map(({ node }) => node);
    expect(traces.map(({ node }) => node).sort()).toEqual(nodesOf("folded").sort());
    expect(lookalikes.filter(({ code }) => code === "instance-norm").map(({ nodes }) => nodes[0])).toEqual(nodesOf("instance-norm"));
    const wanted = known.layers.filter(({ form }) => form !== "folded" && form !== "instance-norm");
    const order = (a: { scope: string }, b: { scope: string }): number => (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : 0);
    expect(layers.map(ofFound).sort(order)).toEqual(wanted.map(ofKnown).sort(order));
    // Whatever can be read is the array that was put there, bit for bit.
    const tensors = tensorsOf(known.states ?? known.tensors);
    for (const layer of layers) {
      const { name } = wanted.find((each) => each.graph === layer.scope && each.node === layer.nodes[0])!;
      // TorchScript runs the module to trace it, and in training mode that moves the statistics on their way into the
      // file.
      const moved = known.id.startsWith("torch/") && layer.mode === "training";
      for (const [array, values] of Object.entries({ ...layer.parameters, ...(moved ? {} : layer.statistics) })) {
        const truth = tensors.get(`layer/${name}/${array}`)?.data ?? new Float32Array(layer.channels!);
        if (values !== null) expect([...values], `${name} ${array}`).toEqual([...truth]);
      }
    }
  });
});

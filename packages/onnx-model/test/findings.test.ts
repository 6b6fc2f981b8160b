import { DEFAULT_CONFIG } from "@batchnorm/spec";
import { type BatchNormJSON, fromJSON, toJSON } from "@batchnorm/spec/convert";
import { describe, expect, test } from "vitest";
import { type Finding, type FindingCode, type InspectReport, inspect } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { MODELS, modelOf, tensorsOf } from "./fixtures.ts";
import { Models } from "./model-builder.ts";

const f = Math.fround;

/** A layer of two channels whose exporter kept k and l only, after a Conv whose bias it may have put into l. */
function multiplied(more: { readonly k?: readonly number[]; readonly bias?: readonly number[] } = {}): Models {
  const graph = new Models();
  const k = more.k ?? STATE_K;
  const l = [0, 1].map((c) => BETA[c] + (f(more.bias?.[c] ?? 0) - MEAN[c]) * STATE_K[c]);
  const conv = graph.op("Conv", [graph.input("x", ["n", 1, 2, 2]), graph.float([1, 2], [2, 1, 1, 1])]);
  const name = "net/norm_1/batchnorm";
  const [scaled] = graph.ops("Mul", [conv, graph.float(k, [1, 2, 1, 1])], {}, ["scaled"], { name: `${name}/mul_1` });
  graph.ops("Add", [scaled, graph.float(l, [1, 2, 1, 1])], {}, ["y"], { name: `${name}/add_1` });
  return graph.output("y", ["n", 2, 2, 2]);
}

const [GAMMA, BETA, MEAN, VARIANCE] = [
  [1.5, 0.5],
  [0.25, -1],
  [3, -2],
  [4, 0.125],
];
const STATE_K = [0, 1].map((c) => GAMMA[c] / Math.sqrt(VARIANCE[c] + 1e-3));

function state(
  more: Partial<Record<"gamma" | "beta" | "movingMean" | "movingVariance", readonly number[]>> = {},
  epsilon = 1e-3,
): BatchNormJSON {
  const { gamma = GAMMA, beta = BETA, movingMean = MEAN, movingVariance = VARIANCE } = more;
  const of = (values: readonly number[]): Float32Array => Float32Array.from(values);
  return toJSON(
    { ...DEFAULT_CONFIG, epsilon, momentum: 0.9 },
    { parameters: { gamma: of(gamma), beta: of(beta) }, statistics: { movingMean: of(movingMean), movingVariance: of(movingVariance) } },
  );
}

/** A node with the arrays of the state. */
function whole(): Models {
  const graph = new Models();
  const arrays = [GAMMA, BETA, MEAN, VARIANCE].map((values) => graph.float(values));
  const x = graph.input("x", ["n", 2]);
  graph.ops("BatchNormalization", [x, ...arrays], { epsilon: { float: 1e-3 } }, ["y"], { name: "norm" });
  return graph.output("y", ["n", 2]);
}

const ofKnown = (code: FindingCode): Promise<InspectReport> =>
  inspect(modelOf(MODELS.find(({ layers }) => layers.some(({ findings }) => findings.includes(code)))!));
const ofId = (id: string): Promise<InspectReport> => inspect(modelOf(MODELS.find((known) => known.id === id)!));

/** The type demands a model for every code. */
const WITNESSES: Record<FindingCode, () => Promise<InspectReport>> = {
  "never-trained": () => ofKnown("never-trained"),
  "training-mode": () => ofKnown("training-mode"),
  "non-finite": () => ofKnown("non-finite"),
  "negative-variance": () => ofKnown("negative-variance"),
  "tiny-variance": () => ofKnown("tiny-variance"),
  "float16-unsafe": () => ofKnown("float16-unsafe"),
  "dead-channel": () => ofKnown("dead-channel"),
  "exploding-channel": () => ofKnown("exploding-channel"),
  "exchanged-statistics-suspected": () => ofKnown("exchanged-statistics-suspected"),
  "shared-tensor": () => ofKnown("shared-tensor"),
  "momentum-1": () => ofKnown("momentum-1"),
  "foreign-epsilon": () => ofId("recalibration/digits"),
  "runtime-fault": () => ofId("handmade/training-equal-initializers"),
  overridable: () => ofKnown("overridable"),
  "not-constant": () => ofKnown("not-constant"),
  "not-spatial": () => ofKnown("not-spatial"),
  "weights-disagree": () => inspect(multiplied({ k: [1, 1] }).model(), { states: { norm: state() } }),
  "merged-bias": () => inspect(multiplied({ bias: [0.5, 0] }).model(), { states: { norm: state() } }),
  "no-weights": () => inspect(multiplied().model(), { states: {} }),
  "unused-weights": () => inspect(multiplied().model(), { states: { norm: state(), stem: state({ gamma: [1, 2] }) } }),
  "unknown-operator": () => {
    const graph = new Models();
    graph.ops("FusedBatchNorm", [graph.input("x", ["n", 3])], {}, ["y"], { domain: "com.example" });
    return inspect(graph.output("y", ["n", 3]).model());
  },
  "newer-opset": () => inspect(whole().model(30)),
};

test.each(Object.entries(WITNESSES))("%s is found, and stays as JSON", async (code, witness) => {
  const report = await witness();
  expect(report.findings.map((each) => each.code)).toContain(code);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

describe("a weight file beside the model", () => {
  const findingsOf = async (graph: Models, states: Record<string, BatchNormJSON>): Promise<readonly Finding[]> =>
    (await inspect(graph.model(), { states })).findings;

  test("fills in what the exporter left out, and findings see it", async () => {
    const { layers, findings } = await inspect(multiplied().model(), { states: { norm: state() } });
    expect(findings).toEqual([]);
    expect(layers).toMatchObject([
      {
        form: "Mul+Add",
        epsilon: 1e-3,
        momentum: 0.9,
        missing: {},
        arrays: { gamma: { smallest: 0.5, largest: 1.5 }, movingMean: { smallest: -2, largest: 3 }, movingVariance: { largest: 4 } },
        weights: {
          state: "norm",
          matchedBy: "name",
          filled: ["gamma", "beta", "movingMean", "movingVariance", "epsilon", "momentum"],
          agrees: { multiplier: true, offset: true },
        },
      },
    ]);
    const untrained = state({ movingMean: [0, 0], movingVariance: [1, 1] });
    expect((await findingsOf(multiplied(), { norm: untrained })).map(({ code }) => code)).toEqual(["never-trained", "weights-disagree"]);
  });

  test("a k that is not gamma / sqrt(variance + epsilon) is told with its channel and both numbers", async () => {
    const [finding] = await findingsOf(multiplied({ k: [STATE_K[0], STATE_K[1] * (1 + 2 ** -20)] }), { norm: state() });
    expect(finding).toMatchObject({ code: "weights-disagree", severity: "warning", channels: [1], count: 1, layer: "net/norm_1" });
    expect(finding.sentence).toBe(
      'k is 1.4085917 in channel 1, where gamma / sqrt(variance + epsilon) of the weights of "norm" is 1.4085904 (1 of 2 channels).',
    );
    // The rounding of float32 is no disagreement.
    expect(await findingsOf(multiplied({ k: STATE_K.map((k) => f(k) * (1 + 2 ** -23)) }), { norm: state() })).toEqual([]);
  });

  test("another epsilon shows in k, or by itself where the file has one", async () => {
    expect((await findingsOf(multiplied(), { norm: state({}, 1e-5) })).map(({ code }) => code)).toEqual(["weights-disagree"]);
    const [finding] = await findingsOf(whole(), { norm: state({}, 1e-5) });
    expect(finding.sentence).toBe('epsilon is 0.001, and 0.00001 in the weights of "norm".');
  });

  test("arrays that the file has are held against those of the weights, bit for bit", async () => {
    expect(await findingsOf(whole(), { norm: state() })).toEqual([]);
    const [finding] = await findingsOf(whole(), { norm: state({ movingMean: [3, f(-2.0000002)] }) });
    expect(finding.sentence).toBe('movingMean is not that of the weights of "norm" in 1 of 2 channels.');
    const { layers } = await inspect(whole().model(), { states: { norm: state() } });
    expect(layers[0].weights?.filled).toEqual([]);
  });

  test.each(["keras/digits-onnx", "keras-torch/digits-static", "keras-jax/digits", "tf-keras/digits"])(
    "%s agrees with its weights",
    async (id) => {
      const known = MODELS.find((each) => each.id === id)!;
      const tensors = tensorsOf(known.states ?? known.tensors);
      const states = Object.fromEntries(
        known.layers.map(({ name, epsilon, momentum }) => {
          const of = (array: string): Float32Array | null =>
            (tensors.get(`layer/${name}/${array}`)?.data as Float32Array | undefined) ?? null;
          const [gamma, beta] = [of("gamma"), of("beta")];
          const config = { ...DEFAULT_CONFIG, epsilon: epsilon!, momentum: momentum ?? 0.99, scale: gamma !== null, center: beta !== null };
          const statistics = { movingMean: of("movingMean")!, movingVariance: of("movingVariance")! };
          return [name, toJSON(config, { parameters: { gamma, beta }, statistics })];
        }),
      );
      const { layers, findings } = await inspect(modelOf(known), { states });
      expect(findings.filter(({ code }) => code === "weights-disagree" || code === "no-weights")).toEqual([]);
      for (const { arrays, weights } of layers) {
        const { movingMean } = fromJSON(states[weights!.state]).state.statistics;
        expect(arrays.movingMean?.largest).toBe(Math.max(...movingMean));
      }
    },
  );

  test("options and states that are none are refused", async () => {
    await expectCode("invalid-argument", () => inspect(whole().model(), { weights: {} } as never));
    await expectCode("invalid-argument", () => inspect(whole().model(), { states: [] } as never));
    await expectCode("invalid-json", () => inspect(whole().model(), { states: { norm: {} } } as never));
  });
});

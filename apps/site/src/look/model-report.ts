import { type FoundLayer, find, type InspectedLayer, inspect, type OnnxModel } from "@batchnorm/onnx-model";
import { short } from "../figures/format.ts";
import { counted, type LookArray, type LookLayer, type LookReport, MISSING } from "./report.ts";

/** An ONNX model as the page shows it. */
export async function modelReport(file: string, model: OnnxModel): Promise<LookReport> {
  const [{ layers: found }, report] = [await find(model), await inspect(model)];
  const { producer, producerVersion, opset, nodes } = report.model;
  const made = [producer, producerVersion].filter((part) => part !== "").join(" ");
  return {
    file,
    isModel: true,
    facts: [made === "" ? "unknown exporter" : `written by ${made}`, `opset ${opset}`, counted(nodes, "node")],
    layers: report.layers.map((layer, k) => ({
      ...layerReport(layer, found[k]),
      findings: report.findings.filter((finding) => finding.layer === layer.name),
    })),
    findings: report.findings.filter(({ layer }) => layer === null),
    notes: [
      ...report.traces.map(
        ({ operator, node, says }) => `${operator} ${node} has a batch normalization folded into it, of which nothing is left: ${says}.`,
      ),
      ...report.lookalikes.map(({ code, nodes }) => `${nodes[0]} looks like a batch normalization and is none: ${code}.`),
    ],
  };
}

function layerReport(layer: InspectedLayer, { parameters, statistics, missing }: FoundLayer): Omit<LookLayer, "findings"> {
  const { name, form, certainty, channels, epsilon, momentum, mode, axis, input, output, fold } = layer;
  const array = (name: LookArray["name"], kind: LookArray["kind"], values: LookArray["values"] | Iterable<number>): LookArray => ({
    name,
    kind,
    // A copy: what is sent to the page may be a view into the whole file.
    values: values === null ? null : Float64Array.from(values as Iterable<number>),
    missing: values === null ? (MISSING[missing[name] ?? "absent"] ?? null) : null,
  });
  return {
    name,
    facts: [
      certainty === "certain" ? form : `${form}, ${certainty}`,
      channels === null ? "channels unknown" : counted(channels, "channel"),
      `axis ${axis}`,
      ...(epsilon === null ? [] : [`epsilon ${short(epsilon)}`]),
      ...(momentum === null ? [] : [`momentum ${short(momentum)}`]),
      mode === "training" ? "in training mode" : "inference",
      `after ${input.from.operator ?? input.from.kind}, before ${output.to.map(({ operator, kind }) => operator ?? kind).join(", ") || "nothing"}`,
    ],
    arrays: [
      array("gamma", "parameter", parameters.gamma),
      array("beta", "parameter", parameters.beta),
      array("movingMean", "statistic", statistics.movingMean),
      array("movingVariance", "statistic", statistics.movingVariance),
    ],
    fold: fold.possible ? `folds ${fold.direction} into ${fold.operator}` : `does not fold (${fold.code}): ${fold.why}`,
    reason: null,
  };
}

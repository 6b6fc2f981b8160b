import { fold, type OnnxModel, readModel, readStates, writeModel } from "@batchnorm/onnx-model";
import { randomInputs, type VerifiedLayer, verify } from "@batchnorm/onnx-model/execute";
import { BatchNormError } from "@batchnorm/spec";
import { readWeights, type WeightFile } from "@batchnorm/weights";
import { short } from "../figures/format.ts";
import { modelReport } from "./model-report.ts";
import { counted, type LookFold, type LookReport, type LookVerdict } from "./report.ts";
import { weightsReport } from "./weights-report.ts";

/** What is looked into: one model or weight file, and the files beside it. All of it stays in this page. */
export class LookSession {
  #model: OnnxModel | null = null;
  #weights: WeightFile | null = null;
  #name = "";

  /**
   * Reads the files that were given together.
   *
   * @throws BatchNormError whatever the readers refuse.
   */
  async open(files: readonly File[]): Promise<LookReport> {
    const main = mainFile(files);
    const bytes = new Uint8Array(await main.arrayBuffer());
    this.#model = null;
    this.#weights = null;
    this.#name = main.name;
    if (isOnnx(main)) {
      const model = readModel({ bytes, external: Object.fromEntries(files.map((file) => [file.name, file])) });
      const report = await modelReport(main.name, model);
      this.#model = model;
      return report;
    }
    const readCompanion = async (path: string): Promise<Uint8Array> => {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const companion = files.find((file) => file.name === name);
      if (companion === undefined)
        throw new BatchNormError(
          "invalid-file",
          "A file that belongs to the model was not given",
          path,
          "all of its files, dropped together",
        );
      return new Uint8Array(await companion.arrayBuffer());
    };
    const weights = await readWeights(bytes, { readCompanion });
    const report = await weightsReport(main.name, weights);
    this.#weights = weights;
    return report;
  }

  /** Runs the model on random inputs in onnxruntime-web, which is loaded for this, and holds each layer against the spec. */
  async verify(): Promise<readonly LookVerdict[]> {
    const { ort } = await import("./runtime.ts");
    const model = this.#opened();
    const { layers, skipped } = await verify(model, { ort, inputs: randomInputs(model, ort), executionProviders: ["wasm"] });
    return [
      ...layers.map((layer) => ({ layer: layer.layer, right: layer.wrong === 0, sentence: verdict(layer) })),
      ...skipped.map(({ layer, why }) => ({ layer, right: null, sentence: `Not checked: ${why}` })),
    ];
  }

  async fold(float16: boolean): Promise<LookFold> {
    const { model, report } = await fold(this.#opened(), { float16 });
    return {
      name: this.#name.replace(/(\.onnx)?$/i, ".folded.onnx"),
      bytes: Uint8Array.from(writeModel(model)),
      folded: report.folded.map(({ layer, into, direction }) => `${layer}: ${direction} into ${into.operator} ${into.node}`),
      kept: report.kept.map(({ layer, code, why }) => `${layer} (${code}): ${why}`),
    };
  }

  /** The states in the portable form of the spec, by the names of the layers. */
  async states(): Promise<string> {
    if (this.#weights !== null) return JSON.stringify(this.#weights, null, 1);
    const { states } = await readStates(this.#opened());
    return JSON.stringify(states, null, 1);
  }

  #opened(): OnnxModel {
    if (this.#model === null) throw new BatchNormError("invalid-argument", "No ONNX model is open", this.#name, "an .onnx file");
    return this.#model;
  }
}

function isOnnx({ name }: File): boolean {
  return /\.onnx$/i.test(name);
}

/** The file that names the others: a model before its data, an index before its shards. */
function mainFile(files: readonly File[]): File {
  const order = [/\.onnx$/i, /\.keras$/i, /model\.json$/i, /\.index\.json$/i, /\.json$/i, /\.h5$/i, /\.safetensors$/i];
  for (const pattern of order) {
    const found = files.find(({ name }) => pattern.test(name));
    if (found !== undefined) return found;
  }
  if (files.length === 0) throw new BatchNormError("invalid-argument", "There is no file", 0, "a model, and the files beside it");
  return files[0];
}

function verdict({ wrong, elements, worst }: VerifiedLayer): string {
  if (worst === null) return "Right: it has no elements.";
  const share = worst.bound === 0 ? 0 : worst.error / worst.bound;
  if (wrong === 0) return `Right in all of ${counted(elements, "element")}: the largest error is ${short(share)} of its bound.`;
  const { channel, x, received, expected } = worst;
  return `Wrong in ${wrong} of ${elements} elements. Worst in channel ${channel}: x ${short(x)} gave ${short(received)}, not ${short(expected)}.`;
}

import type { Case, Outputs, Step, Truth } from "./case.ts";
import { type FileEntry, type Manifest, OUTPUTS, type OutputName, type StoredCase, type StoredOutputs, type StoredStep } from "./format.ts";
import { parseSafetensors, type StoredTensor } from "./safetensors.ts";

/** Gives the bytes of one file of the vectors directory, from wherever it lies. */
export type ReadFile = (name: string) => Promise<Uint8Array>;

/** All golden vectors, in memory. */
export interface Vectors {
  readonly manifest: Manifest;
  /** sha256 of manifest.json, which has those of every other file: it stands for the whole set. */
  readonly sha256: string;
  readonly cases: readonly Case[];
}

/**
 * Loads the golden vectors and checks every file against the manifest.
 *
 * @throws Error when a file is missing, was changed, or names a tensor that does not exist.
 */
export async function loadVectors(read: ReadFile): Promise<Vectors> {
  const manifestBytes = await read("manifest.json");
  const manifest = JSON.parse(new TextDecoder().decode(manifestBytes)) as Manifest;
  if (manifest.formatVersion !== 1) throw new Error(`Vectors: the format is of version ${manifest.formatVersion}, expected 1.`);
  const families = await Promise.all(
    manifest.files.map(async ({ json, data }) => {
      const [jsonBytes, dataBytes] = await Promise.all([readVerified(read, json), readVerified(read, data)]);
      const { cases } = JSON.parse(new TextDecoder().decode(jsonBytes)) as { readonly cases: readonly StoredCase[] };
      const tensors = parseSafetensors(dataBytes);
      return cases.map((stored) => resolveCase(stored, tensors));
    }),
  );
  return { manifest, sha256: await sha256(manifestBytes), cases: families.flat() };
}

/** Loads the vectors over HTTP: in a browser, or from any server. `base` is the URL of the vectors directory. */
export function fetchVectors(base: string | URL): Promise<Vectors> {
  const directory = new URL(base, (globalThis as { location?: { href: string } }).location?.href);
  if (!directory.pathname.endsWith("/")) directory.pathname += "/";
  return loadVectors(async (name) => {
    const response = await fetch(new URL(name, directory));
    if (!response.ok) throw new Error(`Vectors: ${name} could not be fetched from ${directory.href} (HTTP ${response.status}).`);
    return new Uint8Array(await response.arrayBuffer());
  });
}

async function readVerified(read: ReadFile, entry: FileEntry): Promise<Uint8Array> {
  const bytes = await read(entry.name);
  const found = await sha256(bytes);
  if (found !== entry.sha256)
    throw new Error(`Vectors: ${entry.name} was changed: its sha256 is ${found}, the manifest says ${entry.sha256}.`);
  return bytes;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function resolveCase(stored: StoredCase, tensors: ReadonlyMap<string, StoredTensor>): Case {
  const tensor = (name: string): StoredTensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`Vectors: ${stored.id} names the tensor ${name}, which is not there.`);
    return found;
  };
  const data = <Data>(name: string | null): Data | null => (name === null ? null : (tensor(name).data as Data));
  const outputs = <Data>(names: StoredOutputs): Record<OutputName, Data | null> =>
    Object.fromEntries(OUTPUTS.map((output) => [output, data<Data>(names[output])])) as Record<OutputName, Data | null>;
  const parameters = (names: { gamma: string | null; beta: string | null }) => ({
    gamma: data<Float32Array>(names.gamma),
    beta: data<Float32Array>(names.beta),
  });
  const step = (each: StoredStep): Step => {
    const { data: x, shape, dtype } = tensor(each.x);
    const { batchMean, batchVariance } = each.truth;
    return {
      training: each.training,
      trainable: each.trainable,
      parameters: each.parameters && parameters(each.parameters),
      shape,
      ...(dtype && { dtype }),
      x: x as Float32Array,
      mask: data<Uint8Array>(each.mask),
      dy: data<Float32Array>(each.dy),
      truth: outputs<Float64Array>(each.truth) satisfies Truth,
      batch: batchMean === null || batchVariance === null ? null : { mean: data(batchMean)!, variance: data(batchVariance)! },
      results: Object.fromEntries(
        Object.entries(each.results).map(([framework, names]) => [framework, outputs<Float32Array>(names) satisfies Outputs]),
      ),
    };
  };
  return {
    id: stored.id,
    clause: stored.clause,
    flags: stored.flags,
    reference: stored.reference,
    config: stored.config,
    state: {
      parameters: parameters(stored.state.parameters),
      statistics: {
        movingMean: data(stored.state.statistics.movingMean)!,
        movingVariance: data(stored.state.statistics.movingVariance)!,
      },
    },
    steps: stored.steps.map(step),
  };
}

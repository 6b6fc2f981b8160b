import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromFloat16 } from "@batchnorm/spec/half";
import { type OnnxModel, readModel } from "../src/index.ts";
import { folderReader } from "../src/node/index.ts";

const FOLDER = fileURLToPath(new URL("models", import.meta.url));

/** A layer as whoever made the model describes it. */
export interface KnownLayer {
  readonly name: string;
  readonly form: string;
  readonly mode: string;
  readonly graph: string;
  readonly node: string;
  readonly channels: number;
  readonly epsilon: number | null;
  readonly momentum: number | null;
  readonly readable: readonly string[];
  readonly fold: { readonly possible: boolean; readonly reason?: string; readonly into?: string; readonly direction?: string };
  readonly findings: readonly string[];
  readonly state: readonly string[];
}

export interface KnownTensor {
  readonly type: string;
  readonly shape: readonly number[];
}

export interface KnownModel {
  readonly id: string;
  readonly about: string;
  readonly file: string;
  readonly tensors: string;
  readonly states?: string;
  readonly inputs: Readonly<Record<string, KnownTensor>>;
  readonly outputs: Readonly<Record<string, KnownTensor>>;
  readonly layers: readonly KnownLayer[];
  /** The largest error of onnxruntime, or what it says instead of running the model. */
  readonly onnxruntime: { readonly disabled: number | string };
}

interface Manifest {
  readonly parts: readonly { readonly name: string; readonly models: readonly KnownModel[] }[];
}

const manifest = JSON.parse(readFileSync(join(FOLDER, "manifest.json"), "utf8")) as Manifest;

/** All models with an ONNX file. */
export const MODELS: readonly KnownModel[] = manifest.parts.flatMap(({ models }) => models).filter(({ file }) => file.endsWith(".onnx"));

export function bytesOf({ file }: Pick<KnownModel, "file">): Uint8Array {
  return readFileSync(join(FOLDER, file));
}

export function modelOf(known: Pick<KnownModel, "file">): OnnxModel {
  return readModel({ bytes: bytesOf(known), external: folderReader(dirname(join(FOLDER, known.file))) });
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: Float32Array | Float64Array | Uint8Array;
}

/** A safetensors file: eight bytes of length, a JSON header, the data. */
export function tensorsOf(file: string): ReadonlyMap<string, Tensor> {
  const bytes = readFileSync(join(FOLDER, file));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(
    entries.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const raw = Uint8Array.from(bytes.subarray(8 + length + from, 8 + length + to)).buffer;
        const half = (): Float32Array => Float32Array.from(new Uint16Array(raw), fromFloat16);
        const data =
          dtype === "F32"
            ? new Float32Array(raw)
            : dtype === "F64"
              ? new Float64Array(raw)
              : dtype === "F16"
                ? half()
                : new Uint8Array(raw);
        return [name, { shape, dtype, data }];
      },
    ),
  );
}

import { readFileSync } from "node:fs";
import type { Feeds, Runtime } from "@batchnorm/onnx-model/execute";

const FOLDER = new URL("../../../packages/onnx-model/test/models/recalibration/", import.meta.url);
const IMAGE = 64;

/** The 300 images of the digits training set that the tests recalibrate on, in batches; the last one may be smaller. */
export function digitsBatches({ Tensor }: Runtime, size: number): Feeds[] {
  const parts = [0, 1, 2, 3].map((k) => {
    const bytes = readFileSync(new URL(`images-${k}.npy`, FOLDER));
    // A .npy file of version 1: the length of its header stands in bytes 8 and 9, and the data after it.
    return new Float32Array(Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
  });
  const images = Float32Array.from(parts.flatMap((part) => [...part]));
  const count = images.length / IMAGE;
  return Array.from({ length: Math.ceil(count / size) }, (_, k) => {
    const part = images.subarray(k * size * IMAGE, Math.min(count, (k + 1) * size) * IMAGE);
    return { image: new Tensor("float32", part, [part.length / IMAGE, 1, 8, 8]) };
  });
}

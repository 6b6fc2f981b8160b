import { readWeights, type WeightFileJSON } from "@batchnorm/weights";

/** Reads a file that the page was given in base64. */
export async function read(base64: string): Promise<WeightFileJSON> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return (await readWeights(bytes)).toJSON();
}

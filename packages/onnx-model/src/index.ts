export type { BlobLike, ExternalFiles, ExternalReader } from "./file/external.ts";
export { type ModelFiles, type OnnxModel, readModel, writeModel } from "./file/model.ts";

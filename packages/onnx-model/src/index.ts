export type { BlobLike, ExternalData, ExternalFiles, ExternalReader } from "./file/external.ts";
export { type ModelFiles, type OnnxModel, readModel, writeModel } from "./file/model.ts";
export { find } from "./find/find.ts";
export type { FindResult, FoldedTrace, FoundLayer, Lookalike, MissingReason, Neighbour } from "./find/layer.ts";
export type { ArrayName, Certainty, Form, LayerMode, LookalikeCode } from "./find/match.ts";
export type { TraceEvidence } from "./find/traces.ts";
export type { Numbers } from "./graph/constants.ts";

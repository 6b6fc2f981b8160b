export type { BlobLike, ExternalData, ExternalFiles, ExternalReader } from "./file/external.ts";
export { type ModelFiles, type OnnxModel, readModel, writeModel } from "./file/model.ts";
export { find } from "./find/find.ts";
export type { FindResult, FoldedTrace, FoundLayer, Lookalike, MissingReason, Neighbour } from "./find/layer.ts";
export type { ArrayName, Certainty, Form, LayerMode, LookalikeCode } from "./find/match.ts";
export type { TraceEvidence } from "./find/traces.ts";
export type { Float16Report, KeptInFloat32 } from "./float16/convert.ts";
export type { Float16Loss } from "./float16/loss.ts";
export { boundFor, type FoldBound } from "./fold/bound.ts";
export { type FoldedLayer, type FoldOptions, type FoldReport, type FoldResult, fold, type KeptLayer } from "./fold/fold.ts";
export type { FoldReason } from "./fold/reason.ts";
export { type FreezeOptions, type FreezeResult, type FrozenLayer, freeze, type UnfrozenLayer } from "./freeze/freeze.ts";
export type { FreezeReason } from "./freeze/operator.ts";
export type { Numbers } from "./graph/constant.ts";
export type { Finding, FindingCode, Severity } from "./inspect/finding.ts";
export {
  type ArraySummary,
  type Foldable,
  type InspectedLayer,
  type InspectOptions,
  type InspectReport,
  inspect,
} from "./inspect/inspect.ts";
export type { FilledPart } from "./inspect/weights-findings.ts";
export { type FilledLayer, type FillStatesResult, fillStates } from "./states/fill-states.ts";
export { type LayerOfModel, readLayer } from "./states/read-layer.ts";
export { type ReadStatesOptions, readStates, type StatesResult, type UnreadableState } from "./states/read-states.ts";
export { type WriteStatesResult, type WrittenState, writeStates } from "./states/write-states.ts";

export type { ReadCompanion } from "./container/companion.ts";
export type { ConfigKey, Framework, LayerFacts, ReadLayer, Recognition, UnreadLayer, WeightLayer } from "./layer.ts";
export { type ReadWeightsOptions, readWeights } from "./read-weights.ts";
export type { WeightFile, WeightFileJSON, WeightFormat, WeightLayerJSON } from "./weight-file.ts";

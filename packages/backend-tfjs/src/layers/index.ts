export type { BatchNormalizationArgs } from "./arguments.ts";
export { BatchNormalization } from "./batch-normalization.ts";
export * from "./models.ts";
export * from "./register.ts";

export { DEFAULT_CONFIG as DEFAULTS } from "@batchnorm/spec";

export * from "@batchnorm/spec/users";
export { createBackend, type TfjsBackend, type TfjsLayer, type TfjsOptions } from "./backend.ts";
export type { Tf } from "./tf.ts";

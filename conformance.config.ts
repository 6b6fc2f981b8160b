import { backends } from "@batchnorm/adapters/node";
import { defineConfig } from "@batchnorm/conformance";

/** The backends of this repository. A project of yours has such a file, too: a list of functions that make them. */
export default defineConfig({ backends: Object.values(backends) });

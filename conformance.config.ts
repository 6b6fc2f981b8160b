import { createBackend } from "@batchnorm/backend-cpu";
import { defineConfig } from "@batchnorm/conformance";

/** The backends of this repository. A project of yours has such a file, too. */
export default defineConfig({
  backends: [() => createBackend()],
});

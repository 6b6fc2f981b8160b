import { createBackend } from "@batchnorm/backend-cpu";

/** The smallest config: a function that makes a backend. */
export default createBackend;

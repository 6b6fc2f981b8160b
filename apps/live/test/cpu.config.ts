import { createBackend } from "@batchnorm/backend-cpu";

/** The backend that the site and the command line both run. */
export default () => createBackend();

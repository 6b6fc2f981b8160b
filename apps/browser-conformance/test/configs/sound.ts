import { referenceBackend } from "@batchnorm/reference";

/** The smallest config: a function that makes a backend. */
export default () => referenceBackend("sound");

import { referenceBackend } from "@batchnorm/mutants/reference";

/** The smallest config: a function that makes a backend. */
export default () => referenceBackend("sound");

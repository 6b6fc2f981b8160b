import { type Backend, defineBackend, describeValue, type FloatTensor, hostTensors, type MaskTensor, SPEC_VERSION } from "@batchnorm/spec";
import { DEFAULT_TIMEOUT } from "../waiting.ts";
import { AdapterProcess, type ExecCommand } from "./adapter-process.ts";
import { functionsOf } from "./functions.ts";
import { type Introduction, readIntroduction } from "./introduction.ts";
import { layersOf } from "./layers.ts";

/** The version of the protocol that docs/exec-protocol.md describes. */
export const PROTOCOL_VERSION = 1;

export interface ExecOptions {
  /** Milliseconds that the adapter may take for one answer. Default: 60 seconds. */
  readonly timeout?: number;
}

/**
 * A backend in another language: a child process that is spoken to as docs/exec-protocol.md says. The checks of arguments, the order
 * of calls and the ownership of memory are those of `defineBackend`; what is judged is the adapter's arithmetic or, where it holds
 * layers of its own, their state, their moving average and what they do when they are frozen, too.
 *
 * Where the process ends by itself, is silent for too long or writes what is no answer, what it was asked fails, and so does what its
 * layers are asked later; the next layer is made in a new process.
 *
 * @param command a shell's command line, or a program and its arguments.
 * @throws Error when the process cannot be started, or does not introduce itself.
 */
export async function execBackend(command: ExecCommand, options: ExecOptions = {}): Promise<Backend<FloatTensor, "async", MaskTensor>> {
  const { timeout = DEFAULT_TIMEOUT } = options;
  let current = new AdapterProcess(command, timeout);
  const introduction = await introduce(current);
  /** The process in which a new layer lives. */
  const running = (): AdapterProcess => {
    if (current.end === null) return current;
    current = new AdapterProcess(command, timeout);
    // Whoever waits for this process's answers hears of it when it does not introduce itself.
    introduce(current).catch((error: Error) => current.stop(error.message));
    return current;
  };
  const { name, holds, training, gradients, limits } = introduction;
  const { describe, upload, download } = hostTensors;
  const shared = { name, supports: { ...limits, out: false }, tensors: { describe, upload, download } };
  if (holds === "layers") {
    const { store, infer, train, backward } = layersOf(running);
    return defineBackend({ ...shared, store, infer, ...(training && { train }), ...(gradients && { backward }) });
  }
  const { infer, train, backward } = functionsOf(running);
  return defineBackend({ ...shared, infer, ...(training && { train }), ...(gradients && { backward }) });
}

async function introduce(adapter: AdapterProcess): Promise<Introduction> {
  const answer = await adapter.request("hello", () => ({ protocol: PROTOCOL_VERSION, specVersion: SPEC_VERSION }));
  try {
    if (answer.protocol !== PROTOCOL_VERSION) {
      const version = describeValue(answer.protocol);
      throw new Error(`the adapter speaks version ${version} of the protocol, expected ${PROTOCOL_VERSION}`);
    }
    return readIntroduction(answer);
  } catch (error) {
    adapter.stop((error as Error).message);
    throw error;
  }
}

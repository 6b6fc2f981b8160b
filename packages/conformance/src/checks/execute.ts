import { type BatchNormState, type CallOptions, type HostTensor, maskShape, sameShape, sizeOf } from "@batchnorm/spec";
import type { Case, Outputs, Step } from "../vectors/case.ts";
import type { FloatDType } from "../vectors/half.ts";
import type { AnyBackend } from "./check.ts";
import { describeData, dtypeOfTensor, hostTensor, numbersOf } from "./host-numbers.ts";
import { dtypeOf } from "./measure.ts";

/** What a backend gave at one step, and what it should have left alone but did not. */
export interface Executed {
  readonly outputs: Outputs;
  readonly violations: string[];
}

/** A tensor that has been read, to be read again. */
interface Reading {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: see AnyBackend
  readonly tensor: any;
  readonly data: ArrayLike<number>;
}

type AnyLayer = ReturnType<AnyBackend["create"]>;

/**
 * Takes a fresh layer through all steps of a case, by the plainest calls that each step allows. What is passed in is read again
 * after the step, and what came out when the layer is disposed: neither may have changed. Throws what the backend throws.
 */
export async function executeCase(backend: AnyBackend, { config, state, steps }: Case): Promise<Executed[]> {
  const layer = backend.create(config, state);
  const executed: Executed[] = [];
  const results: Reading[][] = [];
  let disposed = false;
  try {
    let before = state;
    let { trainable } = config;
    for (const step of steps) {
      if (step.parameters !== null) {
        await layer.setState({ parameters: present(step.parameters) });
        before = { ...before, parameters: { ...before.parameters, ...present(step.parameters) } };
      }
      if (step.trainable !== trainable) {
        if (step.trainable) layer.unfreeze();
        else layer.freeze();
        trainable = step.trainable;
      }
      const inputs: Reading[] = [];
      const give = (name: string, data: Float32Array | Uint8Array, shape: readonly number[]): unknown => {
        const tensor = backend.upload(hostTensor(data, shape, step.dtype));
        inputs.push({ name, tensor, data });
        return tensor;
      };
      const x = give("x", step.x, step.shape);
      const mask = step.mask && give("the mask", step.mask, maskShape(step.shape, config.axis));
      const options = optionsOf(step, mask);
      const y = await (options === null ? layer.call(x) : layer.call(x, options));
      const after = await layer.state();
      const gradients = step.dy && (await layer.backward(give("dy", step.dy, step.shape)));
      const output = await backend.download(y);
      const read = [{ name: "y", tensor: y, data: numbersOf(output) ?? output.data }];
      const backward = gradients && (await readGradients(backend, layer, step, gradients, read));
      const { movingMean, movingVariance } = after.statistics;
      const violations = [
        ...checkUntouched(step, before, after),
        ...(gradients ? checkLeft(after, await layer.state()) : []),
        ...checkTensor("y", output, step.shape, dtypeOf(step, "y")),
        ...checkTensor("movingMean", { data: movingMean, shape: [layer.channels] }, [layer.channels], "float32"),
        ...checkTensor("movingVariance", { data: movingVariance, shape: [layer.channels] }, [layer.channels], "float32"),
        ...(backward?.violations ?? []),
        ...(await readAgain(backend, inputs, "was written to, expected the input as it was")),
      ];
      const { dx = null, dgamma = null, dbeta = null } = backward ?? {};
      executed.push({ outputs: { y: numbersOf(output, dtypeOf(step, "y")), movingMean, movingVariance, dx, dgamma, dbeta }, violations });
      results.push(read);
      for (const { tensor } of inputs) backend.release(tensor);
      before = after;
    }
    disposed = true;
    await layer.dispose();
    for (const [index, read] of results.entries()) {
      executed[index].violations.push(
        ...(await readAgain(backend, read, "is no longer what it was, expected a tensor of the caller's own")),
      );
      for (const { tensor } of read) backend.release(tensor);
    }
  } finally {
    if (!disposed) await layer.dispose();
  }
  return executed;
}

/** No more than a step needs, so that what a layer does by default is what is checked. */
function optionsOf({ training, dy }: Step, mask: unknown): CallOptions<unknown> | null {
  const options = { ...(training && { training }), ...(mask !== null && { mask }), ...(dy !== null && !training && { gradient: true }) };
  return Object.keys(options).length === 0 ? null : options;
}

async function readGradients(
  backend: AnyBackend,
  { channels }: AnyLayer,
  step: Step,
  gradients: Awaited<ReturnType<AnyLayer["backward"]>>,
  readings: Reading[],
): Promise<Pick<Outputs, "dx" | "dgamma" | "dbeta"> & { readonly violations: string[] }> {
  const { shape, truth } = step;
  const violations: string[] = [];
  const read = async (name: "dx" | "dgamma" | "dbeta", wanted: readonly number[]): Promise<Float32Array | null> => {
    const tensor = gradients[name];
    if ((tensor === null) !== (truth[name] === null)) {
      violations.push(
        tensor === null ? `${name} is null, expected a gradient.` : `${name} is a gradient, expected null: there is nothing to learn.`,
      );
    }
    if (tensor === null) return null;
    const found = await backend.download(tensor);
    readings.push({ name, tensor, data: numbersOf(found) ?? found.data });
    violations.push(...checkTensor(name, found, wanted, dtypeOf(step, name)));
    return numbersOf(found, dtypeOf(step, name));
  };
  return { dx: await read("dx", shape), dgamma: await read("dgamma", [channels]), dbeta: await read("dbeta", [channels]), violations };
}

/** Reads tensors a second time. Subnormal numbers may have been flushed on the way, where the manifest says so. */
async function readAgain(backend: AnyBackend, readings: readonly Reading[], otherwise: string): Promise<string[]> {
  const tiny = backend.supports.subnormals === "flushed" ? 2 ** -126 : 0;
  const violations: string[] = [];
  for (const { name, tensor, data } of readings) {
    const found = await backend.download(tensor);
    const again = numbersOf(found) ?? found.data;
    const same = (a: number, b: number): boolean => Object.is(a, b) || (Math.abs(a) < tiny && Math.abs(b) < tiny);
    // A byte of a mask that is not 0 may come back as another that is not.
    const isMask = data instanceof Uint8Array;
    let differs = again.length !== data.length;
    for (let k = 0; k < data.length && !differs; k++) differs = isMask ? !data[k] !== !again[k] : !same(data[k], again[k]);
    if (differs) violations.push(`${name} ${otherwise}.`);
  }
  return violations;
}

/** A result must have its dtype and fill the shape that it is meant to have (clauses 13.1 and 13.3). */
function checkTensor(name: string, tensor: HostTensor, wanted: readonly number[], dtype: FloatDType): string[] {
  const { data, shape } = tensor;
  if (!sameShape(shape, wanted)) return [`${name} has the shape [${shape}], expected [${wanted}].`];
  if (dtypeOfTensor(tensor) !== dtype) return [`${name} is not ${dtype}: it came as ${describeData(tensor)}.`];
  return data.length === sizeOf(wanted) ? [] : [`${name} has ${data.length} elements, expected ${sizeOf(wanted)}.`];
}

/** A call does not change the parameters; the statistics stay bit for bit where no batch statistics were taken (clause 4.2). */
function checkUntouched(step: Step, before: BatchNormState, after: BatchNormState): string[] {
  const changed = changedFields(before, after).filter((name) => step.batch === null || name === "gamma" || name === "beta");
  return changed.map((name) => `${name} was changed by the step, expected the same bits as before.`);
}

/** A backward changes nothing: what a training step leaves in the statistics is there when the call is done (clause 7.1). */
function checkLeft(before: BatchNormState, after: BatchNormState): string[] {
  return changedFields(before, after).map((name) => `${name} was changed by backward, expected what the call left there.`);
}

function changedFields(before: BatchNormState, after: BatchNormState): string[] {
  const [a, b] = [before, after].map(
    ({ parameters, statistics }): Record<string, Float32Array | null> => ({ ...parameters, ...statistics }),
  );
  return ["gamma", "beta", "movingMean", "movingVariance"].filter((name) => !sameBits(a[name], b[name]));
}

/** Equality of bits, as far as JavaScript can tell: 0 differs from -0, any NaN equals any NaN. */
export function sameBits(a: Float32Array | null, b: Float32Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}

function present(parameters: NonNullable<Step["parameters"]>): { gamma?: Float32Array; beta?: Float32Array } {
  return { ...(parameters.gamma && { gamma: parameters.gamma }), ...(parameters.beta && { beta: parameters.beta }) };
}

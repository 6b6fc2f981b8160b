import { type BatchNormState, describeValue, type HostTensor, maskShape, sameShape, sizeOf } from "@batchnorm/spec";
import type { Case, Outputs, Step } from "../vectors/case.ts";
import type { AnyBackend } from "./check.ts";

/** What a backend gave at one step, and what it should have left alone but did not. */
export interface Executed {
  readonly outputs: Outputs;
  readonly violations: readonly string[];
}

/** Takes a fresh layer through all steps of a case. Throws what the backend throws. */
export async function executeCase(backend: AnyBackend, { config, state, steps }: Case): Promise<Executed[]> {
  const layer = backend.create(config, state);
  const executed: Executed[] = [];
  try {
    let before = state;
    for (const step of steps) {
      if (step.parameters !== null) {
        await layer.setState({ parameters: present(step.parameters) });
        before = { ...before, parameters: { ...before.parameters, ...present(step.parameters) } };
      }
      if (step.trainable) layer.unfreeze();
      else layer.freeze();
      const x = backend.upload({ data: step.x, shape: step.shape });
      const mask = step.mask === null ? null : backend.upload({ data: step.mask, shape: maskShape(step.shape, config.axis) });
      const y = await layer.call(x, { training: step.training, mask, gradient: step.dy !== null });
      const gradients = step.dy === null ? null : await backward(backend, layer, step, step.dy);
      const after = await layer.state();
      const output = await backend.download(y);
      const violations = [
        ...checkUntouched(step, before, after),
        ...checkTensor("y", output, step.shape),
        ...checkTensor("movingMean", { data: after.statistics.movingMean, shape: [layer.channels] }, [layer.channels]),
        ...checkTensor("movingVariance", { data: after.statistics.movingVariance, shape: [layer.channels] }, [layer.channels]),
        ...(gradients?.violations ?? []),
      ];
      executed.push({
        outputs: {
          y: output.data as Float32Array,
          movingMean: after.statistics.movingMean,
          movingVariance: after.statistics.movingVariance,
          dx: gradients?.dx ?? null,
          dgamma: gradients?.dgamma ?? null,
          dbeta: gradients?.dbeta ?? null,
        },
        violations,
      });
      for (const tensor of [x, mask, y]) if (tensor !== null) backend.release(tensor);
      before = after;
    }
  } finally {
    await layer.dispose();
  }
  return executed;
}

async function backward(
  backend: AnyBackend,
  layer: ReturnType<AnyBackend["create"]>,
  { shape, truth }: Step,
  dy: Float32Array,
): Promise<Pick<Outputs, "dx" | "dgamma" | "dbeta"> & { readonly violations: string[] }> {
  const violations: string[] = [];
  const upstream = backend.upload({ data: dy, shape });
  const gradients = await layer.backward(upstream);
  backend.release(upstream);
  const read = async (name: "dx" | "dgamma" | "dbeta", wanted: readonly number[]): Promise<Float32Array | null> => {
    const tensor = gradients[name];
    if ((tensor === null) !== (truth[name] === null)) {
      violations.push(
        tensor === null ? `${name} is null, expected a gradient.` : `${name} is a gradient, expected null: there is nothing to learn.`,
      );
    }
    if (tensor === null) return null;
    const found = await backend.download(tensor);
    backend.release(tensor);
    violations.push(...checkTensor(name, found, wanted));
    return found.data as Float32Array;
  };
  return {
    dx: await read("dx", shape),
    dgamma: await read("dgamma", [layer.channels]),
    dbeta: await read("dbeta", [layer.channels]),
    violations,
  };
}

/** A result must be float32 and fill the shape that it is meant to have (clause 13.1). */
function checkTensor(name: string, { data, shape }: HostTensor, wanted: readonly number[]): string[] {
  if (!sameShape(shape, wanted)) return [`${name} has the shape [${shape}], expected [${wanted}].`];
  if (!isFloat32(data)) return [`${name} is not float32: it came as ${describeValue(data)}.`];
  return data.length === sizeOf(wanted) ? [] : [`${name} has ${data.length} elements, expected ${sizeOf(wanted)}.`];
}

/** By its tag: the array may come from another realm, such as a worker's. */
export function isFloat32(array: unknown): array is Float32Array {
  return Object.prototype.toString.call(array) === "[object Float32Array]";
}

/** Neither a call nor its backward changes the parameters; the statistics stay bit for bit where no batch statistics were taken (clause 4.2). */
function checkUntouched(step: Step, before: BatchNormState, after: BatchNormState): string[] {
  const { gamma, beta } = after.parameters;
  const pairs: [string, Float32Array | null, Float32Array | null][] = [
    ["gamma", before.parameters.gamma, gamma],
    ["beta", before.parameters.beta, beta],
  ];
  if (step.batch === null) {
    pairs.push(["movingMean", before.statistics.movingMean, after.statistics.movingMean]);
    pairs.push(["movingVariance", before.statistics.movingVariance, after.statistics.movingVariance]);
  }
  return pairs.filter(([, a, b]) => !sameBits(a, b)).map(([name]) => `${name} was changed by the step, expected the same bits as before.`);
}

/** Equality of bits, as far as JavaScript can tell: 0 differs from -0, any NaN equals any NaN. */
export function sameBits(a: Float32Array | null, b: Float32Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}

function present(parameters: NonNullable<Step["parameters"]>): { gamma?: Float32Array; beta?: Float32Array } {
  return { ...(parameters.gamma && { gamma: parameters.gamma }), ...(parameters.beta && { beta: parameters.beta }) };
}

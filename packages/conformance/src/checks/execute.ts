import { type BatchNormState, maskShape, sameShape } from "@batchnorm/spec";
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
      const after = await layer.state();
      const gradients = step.dy === null ? null : await backward(backend, layer, step, step.dy);
      const violations = [...checkUntouched(step, before, after), ...(gradients?.violations ?? [])];
      const output = await backend.download(y);
      if (!sameShape(output.shape, step.shape)) violations.push(`y has the shape [${output.shape}], expected [${step.shape}].`);
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
      violations.push(tensor === null ? `${name} is null, expected a gradient.` : `${name} is a gradient, expected null: there is nothing to learn.`);
    }
    if (tensor === null) return null;
    const { data, shape: found } = await backend.download(tensor);
    backend.release(tensor);
    if (!sameShape(found, wanted)) violations.push(`${name} has the shape [${found}], expected [${wanted}].`);
    return data as Float32Array;
  };
  return { dx: await read("dx", shape), dgamma: await read("dgamma", [layer.channels]), dbeta: await read("dbeta", [layer.channels]), violations };
}

/** A call never changes the parameters; the statistics stay bit for bit where no batch statistics were taken (clause 4.2). */
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
  return pairs.filter(([, a, b]) => !sameBits(a, b)).map(([name]) => `${name} was changed by the call, expected the same bits as before.`);
}

/** Equality of bits: NaN equals itself, and 0 differs from -0. */
export function sameBits(a: Float32Array | null, b: Float32Array | null): boolean {
  if (a === null || b === null) return a === b;
  const [bitsA, bitsB] = [a, b].map((each) => new Uint32Array(each.slice().buffer));
  return bitsA.length === bitsB.length && bitsA.every((bits, index) => bits === bitsB[index]);
}

function present(parameters: NonNullable<Step["parameters"]>): { gamma?: Float32Array; beta?: Float32Array } {
  return { ...(parameters.gamma && { gamma: parameters.gamma }), ...(parameters.beta && { beta: parameters.beta }) };
}

import type { BatchNormState, StateUpdate } from "@batchnorm/spec";
import { caseBounds } from "../accuracy/bounds.ts";
import { type Worst, worse } from "../accuracy/compare.ts";
import type { Accuracy } from "../accuracy/constants.ts";
import type { Failure } from "../checks/check.ts";
import { sameBits } from "../checks/execute.ts";
import { describeMiss, measure } from "../checks/measure.ts";
import { type Moving, stepWithTruth } from "../trials/truth.ts";
import type { Outputs, Step } from "../vectors/case.ts";
import type { CallEvent, LayerLife } from "./life.ts";

/** What is wrong with a layer's life. */
export interface Judgement {
  readonly worst: Worst | null;
  readonly failures: readonly Failure[];
}

/** The calls between one `setState` and the next. */
interface Part {
  readonly state: BatchNormState;
  readonly steps: Step[];
  readonly outputs: { -readonly [Name in keyof Outputs]: Outputs[Name] }[];
  moving: Moving;
}

/**
 * Holds what a layer gave against the oracle. A life falls into parts: after `setState` the state is what was set and what the
 * layer says of the rest, and the bounds begin anew.
 */
export async function judge({ config, start, events }: LayerLife, clause: string, accuracy: Accuracy): Promise<Judgement> {
  const failures: Failure[] = [];
  let worst: Worst | null = null;
  const fail = (message: string): void => void failures.push({ message: `clause ${clause}: ${message}` });
  const close = ({ state, steps, outputs }: Part): void => {
    const bounds = caseBounds({ id: "", clause, flags: [], reference: null, config, state, steps }, accuracy);
    steps.forEach((step, index) => {
      const measured = measure(step, index, outputs[index], bounds[index]);
      worst = worse(worst, measured.worst);
      failures.push(...measured.misses.slice(0, 2).map((miss) => describeMiss({ clause, steps }, miss)));
    });
  };
  let part = begin(start);
  for (const event of events) {
    if (event.kind === "call") {
      const dy = event.gradients.length > 0 ? event.input.dy : null;
      const step = stepWithTruth(config, part.state.parameters, part.moving, { ...event.input, dy });
      part.moving = step.truth;
      part.steps.push(step);
      part.outputs.push(await readCall(event, step, fail));
      continue;
    }
    const state = await event.state;
    checkState(part, event.update, state, fail);
    if (event.update === null) continue;
    close(part);
    part = begin(state);
  }
  close(part);
  return { worst, failures };
}

function begin(state: BatchNormState): Part {
  return { state, steps: [], outputs: [], moving: state.statistics };
}

/** What was set is there bit for bit, and so is what nothing has changed; the rest is an output of the last step. */
function checkState(
  { state, steps, outputs }: Part,
  update: StateUpdate | null,
  found: BatchNormState,
  fail: (message: string) => void,
): void {
  const same = (name: string, got: Float32Array | null, wanted: Float32Array | null): void => {
    if (!sameBits(got, wanted)) fail(`${name} is [${got}], expected [${wanted}].`);
  };
  for (const name of ["gamma", "beta"] as const) {
    same(name, found.parameters[name], (update?.parameters?.[name] as Float32Array | undefined) ?? state.parameters[name]);
  }
  const moved = steps.some(({ batch }) => batch !== null);
  for (const name of ["movingMean", "movingVariance"] as const) {
    const set = update?.statistics?.[name] as Float32Array | undefined;
    if (set !== undefined || !moved) same(name, found.statistics[name], set ?? state.statistics[name]);
    else outputs[outputs.length - 1][name] = found.statistics[name];
  }
}

/** The outputs of a call. What was read twice, and what was asked for twice, must be the same. */
async function readCall({ y, gradients }: CallEvent, { truth }: Step, fail: (message: string) => void): Promise<Part["outputs"][number]> {
  const outputs: Part["outputs"][number] = { y: null, movingMean: null, movingVariance: null, dx: null, dgamma: null, dbeta: null };
  const readings = [
    ...(await Promise.all(y)).map((data) => ({ y: data })),
    ...(await Promise.all(gradients)).map(({ dx, dgamma, dbeta }) => ({ dx, dgamma, dbeta })),
  ];
  for (const reading of readings) {
    for (const [name, data] of Object.entries(reading) as [keyof typeof outputs, Float32Array | null][]) {
      if (data?.length !== truth[name]?.length)
        fail(`${name} has ${data?.length ?? "no"} elements, expected ${truth[name]?.length ?? "none"}.`);
      else if (outputs[name] === null) outputs[name] = data;
      else if (!sameBits(outputs[name], data)) fail(`${name} is another when it is read or asked for again.`);
    }
  }
  return outputs;
}

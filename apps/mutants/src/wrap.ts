import type { AnyBackend } from "@batchnorm/conformance";
import {
  asynchronousBackend,
  backendOf,
  type Formulas,
  type HalfSteps,
  type HostBackend,
  type HostLayer,
  inHalf,
  type ReferenceArithmetic,
  referenceArithmetic,
  referenceBackend,
  referenceOnTensors,
} from "@batchnorm/reference";
import type { BatchNormConfig, BatchNormState, StateInput } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";

const CORRECT_ARITHMETIC = inHalf(referenceArithmetic({}));

type Create = HostBackend<"sync">["create"];

/** A mutant that takes one step of the arithmetic wrongly. */
export function calculating(name: string, fault: string, clauses: readonly string[], faults: Partial<Formulas>): Mutant {
  return { name, fault, clauses, create: () => referenceBackend(`mutant/${name}`, faults) };
}

/** A mutant that sums in float32, says so, and does it wrongly. */
export function summing(name: string, fault: string, clauses: readonly string[], faults: Partial<Formulas>): Mutant {
  return { name, fault, clauses, create: () => backendOf(`mutant/${name}`, inHalf(referenceArithmetic(faults)), "float32") };
}

/** A mutant whose passes are done in another way. `change` is called once for each backend. */
export function computing(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (correct: ReferenceArithmetic) => Partial<ReferenceArithmetic>,
): Mutant {
  return { name, fault, clauses, create: () => backendOf(`mutant/${name}`, { ...CORRECT_ARITHMETIC, ...change(CORRECT_ARITHMETIC) }) };
}

/** A mutant that is right in float32, and takes a step of half precision wrongly. */
export function halving(name: string, fault: string, clauses: readonly string[], changes: Partial<HalfSteps>): Mutant {
  return { name, fault, clauses, create: () => backendOf(`mutant/${name}`, inHalf(referenceArithmetic({}), changes)) };
}

/** A mutant that describes, searches or copies its tensors wrongly. */
export function handling(
  name: string,
  fault: string,
  clauses: readonly string[],
  changes: Parameters<typeof referenceOnTensors>[1],
): Mutant {
  return { name, fault, clauses, create: () => referenceOnTensors(`mutant/${name}`, changes) };
}

/** A mutant whose every layer is changed after it was made. */
export function wrapping(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (layer: HostLayer<"sync">) => HostLayer<"sync">,
): Mutant {
  return creating(name, fault, clauses, (create) => (config, state) => change(create(config, state)));
}

/** A mutant that makes its layers in another way. `change` is called once for each backend. */
export function creating(name: string, fault: string, clauses: readonly string[], change: (create: Create) => Create): Mutant {
  return declaring(name, fault, clauses, (backend) => ({ ...backend, create: change(backend.create) }));
}

/** A mutant that makes its layers with another config than it is given. */
export function configuring(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (config: Partial<BatchNormConfig>) => Partial<BatchNormConfig>,
): Mutant {
  return creating(
    name,
    fault,
    clauses,
    (create) =>
      (config = {}, state) =>
        create(change(config), state),
  );
}

/** A mutant that makes its layers with another state than it is given. */
export function stating(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (state: StateInput, config: Partial<BatchNormConfig>) => StateInput,
): Mutant {
  const changed = (state: StateInput | number | undefined, config: Partial<BatchNormConfig>): typeof state =>
    typeof state === "object" && state !== null ? change(state, config) : state;
  return creating(
    name,
    fault,
    clauses,
    (create) =>
      (config = {}, state) =>
        create(config, changed(state, config)),
  );
}

/** A mutant that is wrong about itself, or about its tensors. */
export function declaring(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (backend: HostBackend<"sync">) => AnyBackend | HostBackend<"sync">,
): Mutant {
  return { name, fault, clauses, create: () => change(referenceBackend(`mutant/${name}`)) };
}

/** A mutant whose asynchronous layers get the order wrong; they reach past it into the state. */
export function reordering(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (layer: HostLayer<"async">, live: () => BatchNormState) => HostLayer<"async">,
): Mutant {
  return { name, fault, clauses, create: () => asynchronousBackend(`mutant/${name}`, change) };
}

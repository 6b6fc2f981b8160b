import type { HostTensor, Layer } from "@batchnorm/spec";
import type { AnyBackend } from "../checks/check.ts";
import type { Arithmetic } from "./arithmetic.ts";
import type { Mutant } from "./mutant.ts";
import { asynchronousBackend, type ReferenceLayer, referenceBackend, SUPPORTS } from "./reference.ts";
import type { ReferenceKernel } from "./reference-kernel.ts";

export type SyncLayer = Layer<HostTensor, "sync", "sync">;
export type AsyncLayer = Layer<HostTensor, "async", "async">;
export type SyncBackend = ReturnType<typeof referenceBackend>;
type Create = SyncBackend["create"];

/** A mutant that takes one step of the arithmetic wrongly. */
export function calculating(name: string, fault: string, clauses: readonly string[], faults: Partial<Arithmetic>): Mutant {
  return { name, fault, clauses, create: () => referenceBackend(`mutant/${name}`, faults) };
}

/** A mutant that sums in float32, says so, and does it wrongly. */
export function summing(name: string, fault: string, clauses: readonly string[], faults: Partial<Arithmetic>): Mutant {
  return { name, fault, clauses, create: () => referenceBackend(`mutant/${name}`, faults, { ...SUPPORTS, accumulation: "float32" }) };
}

/** A mutant whose every layer is changed after it was made. */
export function wrapping(name: string, fault: string, clauses: readonly string[], change: (layer: SyncLayer) => SyncLayer): Mutant {
  return creating(name, fault, clauses, (create) => (config, state) => change(create(config, state)));
}

/** A mutant that makes its layers in another way. `change` is called once for each backend. */
export function creating(name: string, fault: string, clauses: readonly string[], change: (create: Create) => Create): Mutant {
  return declaring(name, fault, clauses, (backend) => ({ ...backend, create: change(backend.create) }));
}

/** A mutant that is wrong about itself, or about its tensors. */
export function declaring(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (backend: SyncBackend) => AnyBackend | SyncBackend,
): Mutant {
  return { name, fault, clauses, create: () => change(referenceBackend(`mutant/${name}`)) };
}

/** A mutant whose asynchronous layers get the order wrong; they reach past it into the kernel. */
export function reordering(
  name: string,
  fault: string,
  clauses: readonly string[],
  change: (layer: ReferenceLayer<"async">, kernel: ReferenceKernel) => AsyncLayer,
): Mutant {
  return { name, fault, clauses, create: () => asynchronousBackend(`mutant/${name}`, change) };
}

/** The layer with some of its methods replaced. */
export function override<Overridden extends object>(layer: Overridden, methods: Partial<Overridden>): Overridden {
  return new Proxy(layer, {
    get: (target, name) => {
      if (name in methods) return methods[name as keyof Overridden];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

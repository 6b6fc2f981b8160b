import type { Supports } from "@batchnorm/spec";
import type { Deviation } from "../deviations.ts";
import type { PropertyOptions } from "../properties/property.ts";
import type { CaseResult } from "../report.ts";

/** What a place that runs one backend by itself, a process or a page, is asked to do. */
export interface Order {
  /** Which backend of the config. */
  readonly index: number;
  /** The names of the backends that are to be run; empty for all. */
  readonly backends: readonly string[];
  readonly properties: PropertyOptions;
  /** The checks that are to be run, by id. */
  readonly checks: readonly string[];
  /** Whether results have what the backend gave. */
  readonly outputs: boolean;
}

/** What a backend says of itself. */
export interface OpenedBackend {
  readonly name: string;
  /** Whether it is one that is to be run. */
  readonly wanted: boolean;
  /** What is wrong with what it says of itself. */
  readonly problems: readonly string[];
  /** Null where the manifest is not in order. */
  readonly supports: Supports | null;
}

/** What such a place tells of itself, in this order. */
export type Message =
  | { readonly kind: "loaded"; readonly backends: number; readonly deviations: readonly Deviation[] }
  /** The config is none, or cannot be loaded: nothing can be run. */
  | { readonly kind: "refused"; readonly why: string; readonly detail?: string }
  /** The backend cannot be made. */
  | { readonly kind: "failed"; readonly why: string; readonly detail?: string }
  | { readonly kind: "opened"; readonly backend: OpenedBackend }
  | { readonly kind: "started"; readonly id: string }
  | { readonly kind: "finished"; readonly result: CaseResult }
  | { readonly kind: "done" }
  /** At any time: an error that nobody caught. */
  | { readonly kind: "uncaught"; readonly why: string; readonly detail?: string }
  /** At any time: something that is wrong and ends nothing, such as an error in a page's console. */
  | { readonly kind: "noticed"; readonly what: string }
  /** At any time: nothing is left to run that could finish what has started. */
  | { readonly kind: "idle" };

/** JSON has no NaN, no infinity and no BigInt, and results may have: each becomes an object that names it. */
export function encode(value: Order | Message): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint") return { bigint: String(each) };
    if (typeof each === "number" && !Number.isFinite(each)) return { notFinite: String(each) };
    return each instanceof Float32Array ? { float32: Array.from(each) } : each;
  });
}

/** What `encode` was given. */
export function decode<Value extends Order | Message>(text: string): Value {
  return JSON.parse(text, (_, each: { notFinite?: string; bigint?: string; float32?: number[] } | null) => {
    if (each?.notFinite !== undefined) return Number(each.notFinite);
    if (each?.bigint !== undefined) return BigInt(each.bigint);
    return each?.float32 === undefined ? each : Float32Array.from(each.float32);
  });
}

import { create } from "@bufbuild/protobuf";
import { allScopes } from "../graph/build-scopes.ts";
import { isOperator, resolve, type Scope } from "../graph/scope.ts";
import {
  AttributeProtoSchema,
  AttributeType,
  ElementType,
  type ElementTypeName,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "../proto/index.ts";

/** A value of a branch, a loop or a function, under a name of the main graph. */
export interface Tap {
  readonly name: string;
  /** In so many loops it lies: the value has as many axes in front, of the rounds. */
  readonly loops: number;
}

/** From this opset on Scan has no axis of the batch. */
const FIRST_SCAN = 9;

/**
 * Brings values from within branches, loops and functions out into the main graph, one floor at a time: what is around gets
 * one output more. A branch that is not taken gives an empty tensor `[0]` in place of the value, a loop all rounds, one
 * after the other. A function gives it to all of its calls, and each call has a name of its own for it.
 *
 * The graphs of the scopes are changed, which therefore have to be a copy's.
 */
export class Taps {
  readonly #names = new Set<string>();
  readonly #taps = new Map<Scope, Map<string, Tap | null>>();
  /** What a function gives already: its nodes are those of all of its calls. */
  readonly #ofFunctions = new Map<Scope["proto"], Map<string, number>>();
  readonly #calls = new Map<Scope["proto"], NodeProto[]>();

  constructor(root: Scope) {
    for (const scope of allScopes(root)) {
      for (const name of [...scope.inputs, ...scope.initializers.keys(), ...scope.producers.keys()]) this.#names.add(name);
      if (scope.kind === "function" && scope.caller !== null) {
        this.#calls.set(scope.proto, [...(this.#calls.get(scope.proto) ?? []), scope.caller.node]);
      }
    }
  }

  /** @param type the element type of the value, for the branch that is not taken. Null where there is no way out. */
  bring(scope: Scope, name: string, type: ElementTypeName): Tap | null {
    const value = resolve(scope, name);
    if (value === null) return null;
    if (value.scope.kind === "graph") return { name: value.name, loops: 0 };
    const known = this.#taps.get(value.scope) ?? new Map<string, Tap | null>();
    this.#taps.set(value.scope, known);
    const before = known.get(value.name);
    if (before !== undefined) return before;
    const tap = this.#bringOut(value.scope, value.name, type);
    known.set(value.name, tap);
    return tap;
  }

  /** The same for a value as a scope reads it: an empty tensor where the scope does not run, even if the value comes from around it. */
  bringRead(scope: Scope, name: string, type: ElementTypeName): Tap | null {
    return isInBranch(scope) ? this.#bringOut(scope, name, type) : this.bring(scope, name, type);
  }

  #bringOut(scope: Scope, name: string, type: ElementTypeName): Tap | null {
    const { caller } = scope;
    if (caller === null) return null;
    const { node } = caller;
    const isLoop = isOperator(node, "Loop") || (isOperator(node, "Scan") && scope.opset >= FIRST_SCAN);
    let outside: string;
    if (scope.kind === "function") outside = this.#outOfFunction(scope, node, name);
    else if (isOperator(node, "If")) outside = this.#outOfBranch(scope, caller.scope.inner.get(node) ?? [], node, name, type);
    else if (isLoop) outside = this.#outOfLoop(scope, node, name);
    else return null;
    // The new value has no producer in the scope around, which was built before: it goes on by its name.
    const further = caller.scope.kind === "graph" ? { name: outside, loops: 0 } : this.#bringOut(caller.scope, outside, type);
    return further && { name: further.name, loops: further.loops + (scope.kind === "branch" && isLoop ? 1 : 0) };
  }

  #outOfFunction(scope: Scope, call: NodeProto, name: string): string {
    const body = scope.proto as FunctionProto;
    const given = this.#ofFunctions.get(body) ?? new Map<string, number>();
    this.#ofFunctions.set(body, given);
    let at = given.get(name);
    if (at === undefined) {
      at = body.output.length;
      given.set(name, at);
      body.output.push(this.#copied(scope, name));
    }
    // A call leaves out an output by an empty name, and onnxruntime wants that of all calls.
    for (const each of this.#calls.get(body) ?? []) while (each.output.length <= at) each.output.push("");
    // A call within a function may have been here before.
    call.output[at] ||= this.#fresh(name);
    return call.output[at];
  }

  #outOfLoop(scope: Scope, node: NodeProto, name: string): string {
    this.#addOutput(scope.proto as GraphProto, this.#copied(scope, name));
    for (const attribute of node.attribute) {
      if (attribute.name === "scan_output_axes" || attribute.name === "scan_output_directions") attribute.ints = [...attribute.ints, 0n];
    }
    return this.#addResult(node, name);
  }

  #outOfBranch(scope: Scope, branches: readonly Scope[], node: NodeProto, name: string, type: ElementTypeName): string {
    for (const { proto, kind } of branches) {
      if (kind !== "branch") continue;
      const graph = proto as GraphProto;
      this.#addOutput(graph, graph === scope.proto ? this.#copied(scope, name) : this.#nothing(graph, type));
    }
    return this.#addResult(node, name);
  }

  #addResult(node: NodeProto, name: string): string {
    const outside = this.#fresh(name);
    node.output.push(outside);
    return outside;
  }

  #addOutput(graph: GraphProto, name: string): void {
    graph.output.push(create(ValueInfoProtoSchema, { name }));
  }

  /** A copy of a value: not every value can be an output, one of the scope around or an input, for example. */
  #copied(scope: Scope, name: string): string {
    const copy = this.#fresh(name);
    scope.proto.node.push(create(NodeProtoSchema, { opType: "Identity", input: [name], output: [copy] }));
    return copy;
  }

  #nothing(graph: GraphProto, type: ElementTypeName): string {
    const name = this.#fresh("nothing");
    const t = create(TensorProtoSchema, { dims: [0n], dataType: ElementType[type], rawData: new Uint8Array(0) });
    const attribute = [create(AttributeProtoSchema, { name: "value", type: AttributeType.tensor, t })];
    graph.node.push(create(NodeProtoSchema, { opType: "Constant", output: [name], attribute }));
    return name;
  }

  #fresh(base: string): string {
    let name = `${base}_tap`;
    for (let k = 2; this.#names.has(name); k++) name = `${base}_tap_${k}`;
    this.#names.add(name);
    return name;
  }
}

/** Whether a scope runs only if a node around it says so. */
export function isInBranch(scope: Scope): boolean {
  return scope.kind === "branch" || (scope.caller !== null && isInBranch(scope.caller.scope));
}

import { invalidFile, quoted } from "../errors.ts";
import type { AttributeProto, FunctionProto, GraphProto, NodeProto, TensorProto, TypeProto } from "../proto/index.ts";

/** One place where a value is read: input `index` of `node`, which lies in `scope`. */
export interface Use {
  readonly scope: Scope;
  readonly node: NodeProto;
  readonly index: number;
  /** The node of the value's own scope in which the use lies: `node` itself, or the If, Loop or Scan around it. */
  readonly holder: NodeProto;
}

/** The node that a scope belongs to: the If, Loop or Scan that has it as a branch, or the call of the function. */
export interface Caller {
  readonly scope: Scope;
  readonly node: NodeProto;
}

/**
 * Nodes that run together, with everything that is asked of their names: the main graph, a branch (the body of an If,
 * Loop or Scan), or the body of a local function as one call runs it.
 */
export interface Scope {
  readonly kind: "graph" | "branch" | "function";
  /**
   * Where it is: empty for the main graph, else the nodes and branches on the way, such as `loop/body/if/then_branch`.
   */
  readonly path: string;
  /** The scope whose names this one sees, too: that of a branch. */
  readonly outer: Scope | null;
  readonly caller: Caller | null;
  readonly proto: GraphProto | FunctionProto;
  /** The version of the default domain. */
  readonly opset: number;
  readonly irVersion: number;
  readonly nodes: readonly NodeProto[];
  readonly inputs: readonly string[];
  /** The inputs as a set. */
  readonly given: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  /** By name; of two with one name the last, as onnxruntime has it. */
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly producers: ReadonlyMap<string, NodeProto>;
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  /** What the file says of the types of values. */
  readonly types: ReadonlyMap<string, TypeProto>;
  /** Defaults of a function's attributes. */
  readonly defaults: ReadonlyMap<string, AttributeProto>;
  /** The branches of a node, or the body that it calls. */
  readonly inner: ReadonlyMap<NodeProto, readonly Scope[]>;
}

/** A value: a name in the scope that defines it. */
export interface Value {
  readonly scope: Scope;
  readonly name: string;
}

/** Whether a scope itself gives a meaning to the name. */
export function defines(scope: Scope, name: string): boolean {
  return scope.producers.has(name) || scope.initializers.has(name) || scope.given.has(name);
}

/**
 * Where a name that is read in a scope is defined: there, or in a scope around it. An input of a function is what the
 * call gives. Null for an input that was left out: by an empty name, or by a list that ends before it.
 *
 * @throws BatchNormError `invalid-file` for a name that is defined nowhere.
 */
export function resolve(scope: Scope, name: string | undefined): Value | null {
  if (name === undefined || name === "") return null;
  let at: Scope | null = scope;
  while (at !== null && !defines(at, name)) at = at.outer;
  if (at === null) throw invalidFile(`The value ${quoted(name)} is not defined`, name, "an input, an initializer or an output of a node");
  if (at.kind !== "function" || at.caller === null || !at.given.has(name)) return { scope: at, name };
  const given = at.caller.node.input[at.inputs.indexOf(name)] ?? "";
  return resolve(at.caller.scope, given);
}

/** The uses of a value in its own scope and in the branches within. */
export function usesOf({ scope, name }: Value): readonly Use[] {
  return scope.uses.get(name) ?? [];
}

/** The node that computes a value, in the value's own scope; null for inputs and initializers. */
export function producerOf({ scope, name }: Value): NodeProto | null {
  return scope.producers.get(name) ?? null;
}

/** A domain as it is compared: the default one has two spellings. */
export function domainOf(node: { readonly domain: string }): string {
  return node.domain === "ai.onnx" ? "" : node.domain;
}

/** Whether a node is an operator of ONNX's own. */
export function isOperator(node: NodeProto, ...types: readonly string[]): boolean {
  return types.includes(node.opType) && domainOf(node) === "";
}

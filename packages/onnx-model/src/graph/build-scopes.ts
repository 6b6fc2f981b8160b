import { invalidFile, quoted } from "../errors.ts";
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto } from "../proto/index.ts";
import { attributeType } from "./attribute.ts";
import { checkOrder } from "./check-order.ts";
import { type Caller, defines, domainOf, type Scope, type Use } from "./scope.ts";
import { namesOf } from "./scope-names.ts";

/** Branches in branches, calls in calls. More is a function that calls itself. */
const DEEPEST = 60;

/**
 * Every call of a function is a scope of its own, so that a hundred lines of file can mean 2^30 of them. Real models
 * have 20,000 nodes.
 */
const MOST_NODES_OF_CALLS = 200_000;

/** The newest version of the default domain that can be meant: ONNX 1.20 has 25, and two come in a year. */
const LARGEST_OPSET = 100;

/**
 * The main graph of a model, with all scopes within, in the order of the file.
 *
 * @throws BatchNormError `invalid-file` for a model without graph or opset, for names that are defined twice or
 * nowhere, for cycles, and for functions that call themselves.
 */
export function buildScopes(model: ModelProto): Scope {
  if (model.graph === undefined) throw invalidFile("The model has no graph", "no graph", "the bytes of an ONNX model");
  return new Builder(model).scope("graph", "", model.graph, null, null, modelOpset(model), 0);
}

/** A scope and all scopes within. */
export function* allScopes(scope: Scope): Generator<Scope> {
  yield scope;
  for (const inner of scope.inner.values()) for (const each of inner) yield* allScopes(each);
}

/** Whether the nodes of a scope are those of another call, too: it is the body of a function, or lies in one. */
export function isCalledTwice(root: Scope, scope: Scope): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.caller?.scope ?? null) {
    const { kind, proto } = at;
    if (kind === "function" && [...allScopes(root)].filter((each) => each.proto === proto).length > 1) return true;
  }
  return false;
}

function modelOpset({ opsetImport, irVersion }: ModelProto): number {
  const opset = opsetOf(opsetImport);
  if (opset !== null) return opset;
  // Before IR version 3 models did not say it, and there was only one.
  if (irVersion > 0n && irVersion < 3n) return 1;
  throw invalidFile("The model does not say its opset", opsetImport.length, "a version of the default domain");
}

function opsetOf(imports: readonly OperatorSetIdProto[]): number | null {
  const versions = new Set(imports.filter((each) => domainOf(each) === "").map(({ version }) => version));
  if (versions.size > 1) throw invalidFile("The model has two opsets of one domain", [...versions].map(Number), "one version");
  const [version] = versions;
  if (version === undefined) return null;
  if (version < 1n || version > LARGEST_OPSET) {
    throw invalidFile("The opset is absurd", Number(version), `a version from 1 to ${LARGEST_OPSET}`);
  }
  return Number(version);
}

class Builder {
  readonly #functions = new Map<string, FunctionProto>();
  readonly #irVersion: number;
  #nodesOfCalls = 0;

  constructor({ functions, irVersion }: ModelProto) {
    this.#irVersion = Number(irVersion);
    for (const each of functions) {
      const key = keyOf(each.domain, each.name, each.overload);
      if (this.#functions.has(key)) throw invalidFile(`The function ${quoted(each.name)} is there twice`, each.name, "each function once");
      this.#functions.set(key, each);
    }
  }

  scope(
    kind: Scope["kind"],
    path: string,
    proto: GraphProto | FunctionProto,
    outer: Scope | null,
    caller: Caller | null,
    opset: number,
    depth: number,
  ): Scope {
    if (depth > DEEPEST)
      throw invalidFile("Branches or functions are nested too deeply", depth, `at most ${DEEPEST}, and no function in itself`);
    if (kind === "function") this.#nodesOfCalls += proto.node.length;
    if (this.#nodesOfCalls > MOST_NODES_OF_CALLS) {
      throw invalidFile("The calls of functions come to too many nodes", this.#nodesOfCalls, `at most ${MOST_NODES_OF_CALLS}`);
    }
    const uses = new Map<string, Use[]>();
    const inner = new Map<NodeProto, readonly Scope[]>();
    const scope: Scope = { kind, path, outer, caller, proto, opset, irVersion: this.#irVersion, ...namesOf(proto), uses, inner };
    for (const [position, node] of proto.node.entries()) {
      for (const [index, name] of node.input.entries()) addUse(scope, node, index, name);
      const called = this.#functions.get(keyOf(node.domain, node.opType, node.overload));
      const label = `${path === "" ? "" : `${path}/`}${node.name || `${node.opType}_${position}`}`;
      const here = { scope, node };
      const children = node.attribute.flatMap((attribute) =>
        graphsOf(attribute).map((graph, k, { length }) =>
          this.scope("branch", `${label}/${attribute.name}${length > 1 ? `[${k}]` : ""}`, graph, scope, here, opset, depth + 1),
        ),
      );
      if (called !== undefined) {
        children.push(
          this.scope(
            "function",
            `${label}/${called.domain}.${called.name}`,
            called,
            null,
            here,
            opsetOf(called.opsetImport) ?? opset,
            depth + 1,
          ),
        );
      }
      if (children.length > 0) inner.set(node, children);
    }
    for (const name of scope.outputs) {
      if (!isVisible(scope, name))
        throw invalidFile(`The output ${quoted(name)} of ${where(path)} is not computed`, name, "the name of a value");
    }
    checkOrder(scope);
    return scope;
  }
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([domainOf({ domain }), name, overload]);
}

function graphsOf(attribute: AttributeProto): readonly GraphProto[] {
  const type = attributeType(attribute);
  if (type === "graph") return attribute.g === undefined ? [] : [attribute.g];
  return type === "graphs" ? attribute.graphs : [];
}

function isVisible(scope: Scope, name: string): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.outer) if (defines(at, name)) return true;
  return false;
}

function addUse(scope: Scope, node: NodeProto, index: number, name: string): void {
  if (name === "") return;
  let holder = node;
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    if (defines(at, name)) {
      const uses = at.uses as Map<string, Use[]>;
      const list = uses.get(name);
      const use = { scope, node, index, holder };
      if (list === undefined) uses.set(name, [use]);
      else list.push(use);
      return;
    }
    if (at.caller !== null) holder = at.caller.node;
  }
  throw invalidFile(
    `The node ${quoted(node.name || node.opType)} reads a value that nobody gives`,
    name,
    "an input, an initializer or an output",
  );
}

function where(path: string): string {
  return path === "" ? "the graph" : quoted(path);
}

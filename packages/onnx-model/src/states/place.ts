import { BatchNormError } from "@batchnorm/spec";
import { quoted } from "../errors.ts";
import { isCalledTwice } from "../graph/build-scopes.ts";
import { type Scope, usesOf } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/** An input of a node, in the graph where a new constant for it can stand. */
export interface Place {
  readonly scope: Scope;
  readonly node: NodeProto;
  readonly index: number;
}

/**
 * Where a constant that a node reads can be replaced for that one reader: there, or, where a function's node reads a
 * parameter, at the call.
 *
 * @throws BatchNormError `cannot-convert` for a constant within a function that is called more than once, or for a
 * parameter with other readers.
 */
export function placeOf(root: Scope, scope: Scope, node: NodeProto, index: number): Place {
  const name = node.input[index];
  let at: Scope | null = scope;
  while (at !== null && at.kind !== "function") at = at.outer;
  if (at === null) return { scope, node, index };
  const { caller, inputs } = at;
  if (at.given.has(name) && caller !== null) {
    if (usesOf({ scope: at, name }).length !== 1) {
      throw cannotWrite(
        `The function ${quoted(caller.node.opType)} reads the layer's array elsewhere, too`,
        name,
        "an array of the layer alone",
      );
    }
    return placeOf(root, caller.scope, caller.node, inputs.indexOf(name));
  }
  refuseShared(root, at);
  return { scope, node, index };
}

/**
 * Refuses to change the nodes of a function that other calls share.
 *
 * @throws BatchNormError `cannot-convert`.
 */
export function refuseShared(root: Scope, scope: Scope): void {
  if (isCalledTwice(root, scope)) {
    throw cannotWrite("The layer's arrays lie in a function that is called more than once", scope.path, "a layer with arrays of its own");
  }
}

export function cannotWrite(what: string, received: unknown, expected: string): BatchNormError {
  return new BatchNormError("cannot-convert", what, received, expected);
}

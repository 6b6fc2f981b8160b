import { invalidFile, quoted } from "../errors.ts";
import { type AttributeProto, AttributeType, type AttributeTypeName, type NodeProto, type TensorProto } from "../proto/index.ts";
import type { Scope } from "./scope.ts";

/** The field of an AttributeProto that holds the value of a type. */
const FIELD_OF: Readonly<Record<AttributeTypeName, keyof AttributeProto>> = {
  float: "f",
  int: "i",
  string: "s",
  tensor: "t",
  graph: "g",
  floats: "floats",
  ints: "ints",
  strings: "strings",
  tensors: "tensors",
  graphs: "graphs",
  sparse_tensor: "sparseTensor",
};

const TYPE_NAMES = Object.keys(FIELD_OF) as AttributeTypeName[];

/**
 * What kind of value an attribute has: as it says, or, in files of IR version 1, by what is there. Null for one that is
 * newer than this.
 */
export function attributeType(attribute: AttributeProto): AttributeTypeName | null {
  if (attribute.type === 0) return TYPE_NAMES.find((name) => isSet(attribute, FIELD_OF[name])) ?? null;
  return TYPE_NAMES.find((name) => AttributeType[name] === attribute.type) ?? null;
}

/**
 * Checks that no attribute of a node is there twice, and that each holds a value of the type that it says.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function checkAttributes(node: NodeProto): void {
  const seen = new Set<string>();
  for (const attribute of node.attribute) {
    const what = `The attribute ${quoted(attribute.name)} of the node ${quoted(node.name || node.opType)}`;
    if (seen.has(attribute.name)) throw invalidFile(`${what} is there twice`, attribute.name, "each attribute once");
    seen.add(attribute.name);
    const set = TYPE_NAMES.filter((name) => isSet(attribute, FIELD_OF[name]));
    const type = attributeType(attribute);
    if (set.length > 1 || (set.length === 1 && type !== null && set[0] !== type)) {
      throw invalidFile(`${what} has a value of another type`, set.join(" and "), type ?? "one value");
    }
  }
}

function isSet(attribute: AttributeProto, field: keyof AttributeProto): boolean {
  const value = attribute[field];
  return Array.isArray(value) ? value.length > 0 : Object.hasOwn(attribute, field) && value !== undefined;
}

/** The attribute of a node; inside of a function, one that refers to the call's is that, or the function's default. */
export function attributeOf(scope: Scope, node: NodeProto, name: string): AttributeProto | null {
  const attribute = node.attribute.find((each) => each.name === name);
  if (attribute === undefined || attribute.refAttrName === "") return attribute ?? null;
  // A branch inside of a function body sees the attributes of that function's call.
  let body: Scope | null = scope;
  while (body !== null && body.kind !== "function") body = body.outer;
  if (body === null || body.caller === null) return null;
  return attributeOf(body.caller.scope, body.caller.node, attribute.refAttrName) ?? body.defaults.get(attribute.refAttrName) ?? null;
}

function typed(scope: Scope, node: NodeProto, name: string, wanted: AttributeTypeName): AttributeProto | null {
  const attribute = attributeOf(scope, node, name);
  if (attribute === null) return null;
  const type = attributeType(attribute);
  if (type !== wanted) {
    const what = `The attribute ${quoted(name)} of the node ${quoted(node.name || node.opType)} has the wrong type`;
    throw invalidFile(what, type ?? attribute.type, wanted);
  }
  return attribute;
}

/** Whether the node has the attribute, of whatever type. */
export function hasAttribute(node: NodeProto, name: string): boolean {
  return node.attribute.some((each) => each.name === name);
}

/** @throws BatchNormError `invalid-file` for an attribute of another type. The same holds for the functions below. */
export function floatAttribute(scope: Scope, node: NodeProto, name: string, otherwise: number): number {
  return typed(scope, node, name, "float")?.f ?? otherwise;
}

export function intAttribute<Default>(scope: Scope, node: NodeProto, name: string, otherwise: Default): number | Default {
  const attribute = typed(scope, node, name, "int");
  return attribute === null ? otherwise : safe(node, name, attribute.i);
}

export function intsAttribute(scope: Scope, node: NodeProto, name: string): number[] | null {
  return typed(scope, node, name, "ints")?.ints.map((value) => safe(node, name, value)) ?? null;
}

export function floatsAttribute(scope: Scope, node: NodeProto, name: string): number[] | null {
  return typed(scope, node, name, "floats")?.floats ?? null;
}

export function stringAttribute(scope: Scope, node: NodeProto, name: string, otherwise: string): string {
  const attribute = typed(scope, node, name, "string");
  return attribute === null ? otherwise : String.fromCharCode(...attribute.s.subarray(0, 100));
}

export function tensorAttribute(scope: Scope, node: NodeProto, name: string): TensorProto | null {
  return typed(scope, node, name, "tensor")?.t ?? null;
}

/** Axes, modes, pads and strides: nothing that is meant has more than 53 bits. */
function safe(node: NodeProto, name: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw invalidFile(`The attribute ${quoted(name)} of the node ${quoted(node.name || node.opType)} is absurd`, value, "a small integer");
}

import { create } from "@bufbuild/protobuf";
import { shallow } from "../edit/copy.ts";
import type { Fold } from "../fold/fold.ts";
import { attributeOf } from "../graph/attribute.ts";
import { allScopes, buildScopes } from "../graph/build-scopes.ts";
import { producerOf, resolve, type Scope, type Value } from "../graph/scope.ts";
import {
  AttributeProtoSchema,
  AttributeType,
  ElementType,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  ValueInfoProtoSchema,
} from "../proto/index.ts";

/** The way from one value of a model to another, cut out: what a fold changes, and nothing else. */
export interface Segment {
  readonly fold: Fold;
  /** The element type that the input is fed in; float16 goes in as float32, through a Cast. */
  readonly type: "float32" | "float64" | "float16";
}

/** The names of a segment's two ends in the model made of segments. */
export function endsOfSegment(k: number): { readonly input: string; readonly output: string } {
  return { input: `${k}/input`, output: `${k}/output` };
}

/** Longer ways than this are no fold's. */
const DEEPEST = 500;

/** A model that is nothing but segments of another one. */
export interface SegmentsModel {
  readonly proto: ModelProto;
  /** Which of the segments are in it: not one that depends on what only a run of a branch or function has. */
  readonly isCut: readonly boolean[];
  /**
   * Inputs of the whole model that a segment reads besides, such as for the shape of a Reshape, by their names in this
   * one.
   */
  readonly given: ReadonlyMap<string, string>;
}

/** Cuts segments out of a model, and puts them side by side, each from an input of its own to an output of its own. */
export function segmentsModel(proto: ModelProto, segments: readonly Segment[]): SegmentsModel {
  const root = buildScopes(proto);
  const cutter = new Cutter(root);
  const isCut = segments.map((segment, k) => cutter.cut(segment, k));
  const { nodes: node, tensors, given } = cutter;
  const info = (name: string, elemType: number) =>
    create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: { elemType } } } });
  const kept = segments.map((segment, k) => ({ ...segment, k })).filter(({ k }) => isCut[k]);
  const graph = create(GraphProtoSchema, {
    name: "segments",
    node,
    initializer: [...tensors.values()].flatMap((inScope) => [...inScope.values()]),
    input: [
      ...kept.map(({ k, type }) => info(endsOfSegment(k).input, type === "float64" ? ElementType.float64 : ElementType.float32)),
      ...[...given].map(([name, original]) => Object.assign(shallow(proto.graph!.input.find((each) => each.name === original)!), { name })),
    ],
    // A name alone: the runtime infers the type.
    output: kept.map(({ k }) => create(ValueInfoProtoSchema, { name: endsOfSegment(k).output })),
  });
  const model = shallow(proto);
  model.graph = graph;
  model.functions = [];
  // From IR version 4 on an initializer need not be an input.
  if (model.irVersion < 4n) model.irVersion = 4n;
  return { proto: model, isCut, given };
}

class Cutter {
  readonly nodes: NodeProto[] = [];
  readonly given = new Map<string, string>();
  readonly tensors = new Map<Scope, Map<string, TensorProto>>();
  readonly #root: Scope;
  readonly #scopes: readonly Scope[];
  #tensors = 0;

  constructor(root: Scope) {
    this.#root = root;
    this.#scopes = [...allScopes(root)];
  }

  cut({ fold, type }: Segment, k: number): boolean {
    const [from, to] = [this.#find(fold.input), this.#find(fold.output)];
    if (from === null || to === null) return false;
    const ends = endsOfSegment(k);
    const isHalf = type === "float16";
    const nodes: NodeProto[] = isHalf ? [cast(ends.input, `${k}/half`, ElementType.float16)] : [];
    const names = new Map<Scope, Map<string, string>>();
    setName(names, from, isHalf ? `${k}/half` : ends.input);
    const last = this.#walk(to, `${k}/`, names, nodes, 0);
    if (last === null) return false;
    nodes.push(isHalf ? cast(last, ends.output, ElementType.float32) : identity(last, ends.output));
    this.nodes.push(...nodes);
    return true;
  }

  /** The same value in this model: a fold may have moved the nodes that the path counts. */
  #find({ scope, name }: Value): Value | null {
    const known = this.#scopes.filter((each) => each.producers.has(name) || each.given.has(name));
    const at = known.find(({ path }) => path === scope.path) ?? (known.length === 1 ? known[0] : undefined);
    return at === undefined ? null : resolve(at, name);
  }

  /** Copies whatever computes a value, from the start of the segment on, and gives its name there. */
  #walk(value: Value, prefix: string, names: Map<Scope, Map<string, string>>, nodes: NodeProto[], depth: number): string | null {
    const known = names.get(value.scope)?.get(value.name);
    if (known !== undefined) return known;
    const tensor = value.scope.initializers.get(value.name);
    if (tensor !== undefined) return this.#tensor(value, tensor);
    const { scope } = value;
    const node = producerOf(value);
    if (node === null && scope === this.#root && scope.given.has(value.name)) {
      this.given.set(`given/${value.name}`, value.name);
      return `given/${value.name}`;
    }
    if (node === null || depth > DEEPEST || scope.opset !== this.#root.opset || scope.inner.has(node)) return null;
    const copy = shallow(node);
    copy.input = [];
    for (const name of node.input) {
      const from = resolve(scope, name);
      const input = from === null ? "" : this.#walk(from, prefix, names, nodes, depth + 1);
      if (input === null) return null;
      copy.input.push(input);
    }
    copy.name = "";
    copy.output = node.output.map((name) => (name === "" ? "" : `${prefix}${scope.path}:${name}`));
    copy.attribute = node.attribute.flatMap(({ name }) => {
      const attribute = attributeOf(scope, node, name);
      if (attribute === null || attribute.name === name) return attribute ?? [];
      const renamed = shallow(attribute);
      renamed.name = name;
      return renamed;
    });
    for (const [k, name] of node.output.entries()) if (name !== "") setName(names, { scope, name }, copy.output[k]);
    nodes.push(copy);
    return names.get(scope)?.get(value.name) ?? null;
  }

  #tensor({ scope, name }: Value, tensor: TensorProto): string {
    const inScope = this.tensors.get(scope) ?? new Map<string, TensorProto>();
    this.tensors.set(scope, inScope);
    const known = inScope.get(name);
    if (known !== undefined) return known.name;
    const copy = shallow(tensor);
    copy.name = `constant/${this.#tensors++}`;
    inScope.set(name, copy);
    return copy.name;
  }
}

function setName(names: Map<Scope, Map<string, string>>, { scope, name }: Value, by: string): void {
  const inScope = names.get(scope);
  if (inScope === undefined) names.set(scope, new Map([[name, by]]));
  else inScope.set(name, by);
}

function cast(input: string, output: string, to: number): NodeProto {
  const attribute = [create(AttributeProtoSchema, { name: "to", type: AttributeType.int, i: BigInt(to) })];
  return create(NodeProtoSchema, { opType: "Cast", input: [input], output: [output], attribute });
}

function identity(input: string, output: string): NodeProto {
  return create(NodeProtoSchema, { opType: "Identity", input: [input], output: [output] });
}

import { create } from "@bufbuild/protobuf";
import { type Draft, removeAttribute } from "../edit/draft.ts";
import { vectorOf } from "../find/factors.ts";
import { biasedInput } from "../graph/climb.ts";
import { isOperator, type Scope, usesOf } from "../graph/scope.ts";
import type { Context } from "../graph/trace.ts";
import { type NodeProto, NodeProtoSchema } from "../proto/index.ts";
import { floatTensor } from "../tensor/write-tensor.ts";
import { type FoldNumbers, type NewConstant, vectorDims } from "./numbers.ts";
import type { Plan } from "./plan.ts";

/** What was done besides the new numbers. */
export interface Applied {
  /** Constants that others read, too: the folded node got copies. */
  readonly copied: readonly string[];
  /** What the folded node got that it did not have: a bias of its own, or an Add behind it. */
  readonly added: "bias" | "Add" | null;
  /** All nodes that were changed, removed, or relied on. */
  readonly touched: readonly NodeProto[];
}

/** Whether the nodes of a plan are as they were when it was made. */
export function isFresh({ match, linear, passed }: Plan, touched: ReadonlySet<NodeProto>): boolean {
  return ![linear, ...passed, ...match.nodes].some((node) => touched.has(node));
}

/** Carries a fold out. */
export function applyFold(draft: Draft, context: Context, plan: Plan, numbers: FoldNumbers): Applied {
  const { linear, scope, match, weightIndex, passed, direction } = plan;
  const copied: string[] = [];
  const put = (at: Scope, node: NodeProto, index: number, constant: NewConstant, base: string): void => {
    const before = node.input[index] ?? "";
    const name = before === "" ? draft.freshName(base) : draft.nameFor(at, before, `${before}_folded`);
    if (before !== "" && before !== name && usesOf({ scope: at, name: before }).length > 1) copied.push(before);
    draft.addTensor(at, floatTensor(name, constant.type, constant.dims, constant.values));
    draft.rewire(at, node, index, name);
  };
  const hadBias = Boolean(linear.input[2]);
  put(scope, linear, weightIndex, numbers.weight, "weight_folded");
  if (isOperator(linear, "Gemm") && (numbers.bias !== null || hadBias)) removeAttribute(linear, "beta");
  if (numbers.bias !== null) put(scope, linear, 2, numbers.bias, `${linear.name || linear.output[0]}_bias_folded`);
  // A C that beta 0 left out.
  else if (hadBias) draft.rewire(scope, linear, 2, "");
  for (const { node, index, constant } of numbers.adds) put(match.scope, node, index, constant, "shift_folded");
  const touched = [linear, ...passed, ...match.nodes];
  let added: Applied["added"] = numbers.bias !== null && !hadBias ? "bias" : null;
  if (direction === "backward") {
    if (numbers.rest !== null) {
      added = "Add";
      draft.replaceNodes(match.scope, match.nodes, addNode(draft, plan, numbers.rest, match.input, match.output));
    } else removeAfter(draft, plan);
  } else {
    // The output of the layer has one reader: it now reads what the layer read.
    const [use] = usesOf({ scope: match.scope, name: match.output });
    draft.rewire(match.scope, use.node, use.index, match.input);
    draft.removeNodes(match.scope, match.nodes);
    if (numbers.rest !== null) {
      const following = followingAdd(context, plan);
      if (following !== null) touched.push(following);
      added = addAfter(draft, context, plan, numbers.rest, following, put);
    }
  }
  return { copied, added, touched };
}

/** Takes the layer away; what came before it now has the name of its output. */
function removeAfter(draft: Draft, { match, linear, passed, scope }: Plan): void {
  const last = passed[passed.length - 1] ?? linear;
  const lastScope = passed.length > 0 ? match.scope : scope;
  if (lastScope !== match.scope) {
    // The node lies in a graph around this one, and its output cannot have a name from in here.
    const identity = create(NodeProtoSchema, {
      opType: "Identity",
      input: [match.input],
      output: [match.output],
      name: draft.freshName(`${match.output}_folded`),
    });
    draft.replaceNodes(match.scope, match.nodes, identity);
    return;
  }
  draft.removeNodes(match.scope, match.nodes);
  const before = last.output[0];
  last.output[0] = match.output;
  const { proto } = match.scope;
  proto.valueInfo = proto.valueInfo.filter(({ name }) => name !== before);
}

/** An Add of a vector along the layer's axis. */
function addNode(draft: Draft, { match, weight }: Plan, values: Float64Array, input: string, output: string): NodeProto {
  const name = draft.freshName(`${match.output}_shift_folded`);
  draft.addTensor(match.scope, floatTensor(name, weight.type, vectorDims(match.axis, values.length), values));
  return create(NodeProtoSchema, {
    opType: "Add",
    input: [input, name],
    output: [output],
    name: draft.freshName(`${match.output}_add_folded`),
  });
}

/** The Add of a bias right after a MatMul, if it alone reads the MatMul's output. */
function followingAdd(context: Context, { linear, scope, map, weightIndex }: Plan): NodeProto | null {
  const uses = usesOf({ scope, name: linear.output[0] });
  const node = uses[0]?.node;
  if (uses.length !== 1 || uses[0].scope !== scope || scope.outputs.has(linear.output[0])) return null;
  if (biasedInput(context, scope, node) === null) return null;
  const constant = context.constants.get(scope, node.input[1 - uses[0].index]);
  const vector = constant && vectorOf(constant);
  const fits = vector !== null && vector.length === map.outputs && vector.fromEnd === (weightIndex === 1 ? 1 : 2);
  return fits && !constant!.overridable && constant!.read() !== null ? node : null;
}

function addAfter(
  draft: Draft,
  context: Context,
  { linear, scope, weight, weightIndex, map }: Plan,
  rest: Float64Array,
  following: NodeProto | null,
  put: (scope: Scope, node: NodeProto, index: number, constant: NewConstant, base: string) => void,
): Applied["added"] {
  if (following !== null) {
    const index = context.constants.get(scope, following.input[0]) === null ? 1 : 0;
    const constant = context.constants.get(scope, following.input[index])!;
    const values = constant.read()!;
    put(
      scope,
      following,
      index,
      { type: weight.type, dims: constant.dims, values: rest.map((value, c) => value + values[c]) },
      "shift_folded",
    );
    return null;
  }
  const output = linear.output[0];
  const between = draft.freshName(`${output}_folded`);
  const name = draft.freshName(`${output}_shift_folded`);
  draft.addTensor(scope, floatTensor(name, weight.type, weightIndex === 1 ? [map.outputs] : [map.outputs, 1], rest));
  const add = create(NodeProtoSchema, {
    opType: "Add",
    input: [between, name],
    output: [output],
    name: draft.freshName(`${output}_add_folded`),
  });
  const { proto } = scope;
  proto.node.splice(proto.node.indexOf(linear) + 1, 0, add);
  linear.output[0] = between;
  return "Add";
}

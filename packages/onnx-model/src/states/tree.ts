import { shallow } from "../edit/copy.ts";
import type { Draft } from "../edit/draft.ts";
import type { Match } from "../find/match.ts";
import { producerOf, resolve, type Scope, type Use, usesOf, type Value } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/** One input of a node. */
interface Reader {
  readonly scope: Scope;
  readonly node: NodeProto;
  readonly index: number;
}

/** The arithmetic on constants that feeds the steps of a layer. */
export interface Tree {
  /** Its nodes, each after those that it reads, with the graph that it lies in. Constant nodes are leaves. */
  readonly nodes: ReadonlyMap<NodeProto, Scope>;
  /** Initializers and Constant nodes at its ends. */
  readonly leaves: readonly Value[];
  /** Where the layer itself reads it. */
  readonly roots: readonly Reader[];
}

export function treeOf({ scope, steps }: Match): Tree {
  const nodes = new Map<NodeProto, Scope>();
  const leaves: Value[] = [];
  const walk = (at: Scope, name: string): void => {
    const value = resolve(at, name);
    if (value === null) return;
    const node = producerOf(value);
    if (node === null || node.opType === "Constant") {
      if (!leaves.some((leaf) => leaf.scope === value.scope && leaf.name === value.name)) leaves.push(value);
      return;
    }
    if (nodes.has(node)) return;
    for (const input of node.input) walk(value.scope, input);
    nodes.set(node, value.scope);
  };
  for (const { node, index } of steps) walk(scope, node.input[index]);
  return { nodes, leaves, roots: steps.map(({ node, index }) => ({ scope, node, index })) };
}

/** Whether nothing but the layer depends on a value of the tree. */
export function isExclusive(tree: Tree, value: Value): boolean {
  if (value.scope.outputs.has(value.name)) return false;
  return usesOf(value).every((use) => {
    if (isRoot(tree, use)) return true;
    return tree.nodes.has(use.node) && use.node.output.every((name) => isExclusive(tree, { scope: use.scope, name }));
  });
}

function isRoot({ roots }: Tree, use: Use): boolean {
  return roots.some(({ node, index }) => node === use.node && index === use.index);
}

/**
 * Gives a layer arithmetic of its own: its nodes and the tensors at its ends are copied under new names, and the layer
 * reads the copies. Returns the tensors that have other readers. What was found before does not know of the copies.
 */
export function isolate(draft: Draft, tree: Tree): string[] {
  const renamed = new Map<Scope, Map<string, string>>();
  const rename = (scope: Scope, name: string): void => {
    const names = renamed.get(scope) ?? new Map<string, string>();
    renamed.set(scope, names.set(name, draft.freshName(`${name}_own`)));
  };
  const newName = (scope: Scope, name: string): string | undefined => {
    const value = resolve(scope, name);
    return value === null ? undefined : renamed.get(value.scope)?.get(value.name);
  };
  const shared = tree.leaves.filter((leaf) => !isExclusive(tree, leaf));
  for (const { scope, name } of shared) rename(scope, name);
  for (const [node, scope] of tree.nodes) for (const name of node.output) if (name !== "") rename(scope, name);
  for (const leaf of shared) copyLeaf(draft, leaf, newName(leaf.scope, leaf.name)!);
  for (const [node, scope] of tree.nodes) {
    const copy = shallow(node);
    copy.name = node.name === "" ? "" : draft.freshName(`${node.name}_own`);
    copy.input = node.input.map((name) => newName(scope, name) ?? name);
    copy.output = node.output.map((name) => newName(scope, name) ?? name);
    copy.attribute = [...node.attribute];
    const { proto } = scope;
    proto.node.splice(proto.node.indexOf(node) + 1, 0, copy);
    draft.drop(scope, node.output[0]);
  }
  for (const { scope, node, index } of tree.roots) {
    const name = newName(scope, node.input[index]);
    if (name !== undefined) draft.rewire(scope, node, index, name);
  }
  return shared.map(({ name }) => name);
}

function copyLeaf(draft: Draft, { scope, name }: Value, fresh: string): void {
  const node = scope.producers.get(name);
  if (node !== undefined) {
    const copy = shallow(node);
    copy.name = fresh;
    copy.output = [fresh];
    copy.attribute = [...node.attribute];
    scope.proto.node.unshift(copy);
    return;
  }
  const tensor = shallow(scope.initializers.get(name)!);
  tensor.name = fresh;
  draft.addTensor(scope, tensor);
}

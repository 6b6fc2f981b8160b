import type { Match } from "../find/match.ts";
import type { Scope } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/** What each node of a graph reads, including what the branches within it read. */
export function readsOf(scope: Scope): ReadonlyMap<NodeProto, ReadonlySet<string>> {
  const reads = new Map<NodeProto, Set<string>>(scope.nodes.map((node) => [node, new Set<string>()]));
  for (const [name, uses] of scope.uses) for (const { holder } of uses) reads.get(holder)?.add(name);
  return reads;
}

/** The nodes that some values need, in the order of the graph. Values that nodes got since the scope was built count, too. */
export function nodesFor(scope: Scope, values: Iterable<string>): readonly NodeProto[] {
  const reads = readsOf(scope);
  const producers = new Map(scope.nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const needed = new Set<NodeProto>();
  const waiting = [...values];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = producers.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    waiting.push(...(reads.get(node) ?? []));
  }
  return scope.nodes.filter((node) => needed.has(node));
}

/**
 * Layers by how many of the others lie before them, on the longest way from an input: those of level 0 read nothing that another layer
 * changed, those of level 1 only what layers of level 0 did. Layers of one level do not depend on each other. Those within one
 * node, in its branches or in the function that it calls, count as if they followed each other.
 */
export function levelsOf(scope: Scope, matches: readonly Match[]): readonly (readonly Match[])[] {
  const reads = readsOf(scope);
  const level = new Map<string, number>();
  const within = new Map<NodeProto, Match[]>();
  for (const match of matches) {
    const node = nodeAround(scope, match.scope);
    if (node !== null) within.set(node, [...(within.get(node) ?? []), match]);
  }
  const ends = new Set(matches.flatMap((match) => (match.scope === scope ? [match.output] : [])));
  const depthOf = (names: Iterable<string>): number => Math.max(0, ...[...names].map((name) => level.get(name) ?? 0));
  // Nodes stand in any order: again until nothing moves. In the usual order that is twice.
  for (let moved = true; moved; ) {
    moved = false;
    for (const node of scope.nodes) {
      const depth = depthOf(reads.get(node) ?? []);
      for (const name of node.output) {
        const found = depth + (ends.has(name) ? 1 : 0) + (within.get(node)?.length ?? 0);
        if (found === (level.get(name) ?? 0)) continue;
        level.set(name, found);
        moved = true;
      }
    }
  }
  const levels: Match[][] = [];
  for (const match of matches) {
    const node = nodeAround(scope, match.scope);
    const at = node === null ? (level.get(match.input) ?? 0) : depthOf(reads.get(node) ?? []) + within.get(node)!.indexOf(match);
    while (levels.length <= at) levels.push([]);
    levels[at].push(match);
  }
  return levels.filter((each) => each.length > 0);
}

/** The node of a scope in which another one lies; null for the scope itself. */
function nodeAround(outer: Scope, scope: Scope): NodeProto | null {
  let { caller } = scope;
  if (scope === outer) return null;
  while (caller !== null && caller.scope !== outer) caller = caller.scope.caller;
  return caller?.node ?? null;
}

import { invalidFile } from "../errors.ts";
import type { NodeProto } from "../proto/index.ts";
import type { Scope } from "./scope.ts";

/**
 * Checks that there is an order in which the nodes can run. They may stand in any, as onnxruntime takes them.
 *
 * @throws BatchNormError `invalid-file` for nodes that wait for each other.
 */
export function checkOrder(scope: Scope): void {
  const waits = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>();
  for (const [name, uses] of scope.uses) {
    const producer = scope.producers.get(name);
    if (producer === undefined) continue;
    for (const { holder } of uses) {
      waits.set(holder, (waits.get(holder) ?? 0) + 1);
      const list = readers.get(producer);
      if (list === undefined) readers.set(producer, [holder]);
      else list.push(holder);
    }
  }
  const ready = scope.nodes.filter((node) => !waits.has(node));
  let done = 0;
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    done += 1;
    for (const reader of readers.get(node) ?? []) {
      const left = waits.get(reader)! - 1;
      waits.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  }
  if (done < scope.nodes.length) {
    const [stuck] = [...waits].find(([, left]) => left > 0)!;
    throw invalidFile("The nodes wait for each other in a circle", stuck.name || stuck.opType, "a graph without cycles");
  }
}

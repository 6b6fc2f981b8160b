import { create } from "@bufbuild/protobuf";
import { Draft } from "../edit/draft.ts";
import type { ExternalData } from "../file/external.ts";
import { nodeName } from "../find/find.ts";
import { buildScopes } from "../graph/build-scopes.ts";
import { Constants } from "../graph/constants.ts";
import { isOperator, type Scope, usesOf } from "../graph/scope.ts";
import { AttributeProtoSchema, AttributeType, ElementType, type ModelProto, type NodeProto, NodeProtoSchema } from "../proto/index.ts";
import { floatTensor } from "../tensor/write-tensor.ts";
import { ElementTypes } from "./element-types.ts";
import { beyondFloat16, type Float16Loss, lossOf } from "./loss.ts";
import { float16Inputs } from "./operators.ts";

/** A node that could run in float16 by its operator, and does not. */
export interface KeptInFloat32 {
  readonly node: string;
  readonly operator: string;
  readonly why: string;
}

/** What a conversion to float16 did, and what it cost. */
export interface Float16Report {
  /** How many nodes run in float16 now, and how many stayed, by operator. */
  readonly converted: Readonly<Record<string, number>>;
  readonly kept: Readonly<Record<string, number>>;
  /** Casts that were added: at the model's inputs and outputs, and around what stays. */
  readonly casts: number;
  /** Every tensor that was converted. */
  readonly losses: readonly Float16Loss[];
  /** Nodes that stayed for what they hold. */
  readonly refused: readonly KeptInFloat32[];
}

/** The first opset whose Cast takes a number for a type. */
const FIRST_CAST = 6;

/**
 * Converts the main graph of a model to float16: weights, and every node that can take it. Inputs and outputs of the
 * model stay float32, through Casts, and so does what sums over many elements, what belongs to a branch or function,
 * BatchNormalization, and a node with a constant that float16 cannot hold: nothing is clamped, and nothing becomes
 * infinite. What happens to the data in between is for a run to show.
 *
 * Null as long as a tensor has to be loaded.
 */
export function float16Model(
  proto: ModelProto,
  external: ExternalData,
): { readonly proto: ModelProto; readonly report: Float16Report } | null {
  const draft = new Draft(proto);
  const report = new Conversion(draft, buildScopes(draft.proto), external).run();
  return report && { proto: draft.proto, report };
}

class Conversion {
  readonly #draft: Draft;
  readonly #scope: Scope;
  readonly #types = new ElementTypes();
  readonly #constants: Constants;
  readonly #converted = new Map<NodeProto, readonly number[]>();
  readonly #refused: KeptInFloat32[] = [];
  readonly #losses: Float16Loss[] = [];
  /** The names of values in float16, by their names in float32. */
  readonly #halves = new Map<string, string>();
  readonly #casts: { readonly node: NodeProto; readonly after: NodeProto | null }[] = [];
  #isWaiting = false;

  constructor(draft: Draft, scope: Scope, external: ExternalData) {
    this.#draft = draft;
    this.#scope = scope;
    this.#constants = new Constants(external);
  }

  run(): Float16Report | null {
    const nodes = [...this.#scope.nodes];
    if (this.#scope.opset >= FIRST_CAST) this.#choose();
    if (this.#isWaiting) return null;
    for (const node of this.#converted.keys()) this.#rename(node);
    for (const [node, inputs] of this.#converted) for (const index of inputs) node.input[index] = this.#half(node.input[index]);
    this.#insertCasts();
    this.#draft.removeUnused();
    return {
      converted: countBy(nodes.filter((node) => this.#converted.has(node))),
      kept: countBy(nodes.filter((node) => !this.#converted.has(node) && node.opType !== "Constant")),
      casts: this.#casts.length,
      losses: this.#losses,
      refused: this.#refused,
    };
  }

  /** The nodes that run in float16. */
  #choose(): void {
    const scope = this.#scope;
    for (const node of scope.nodes) {
      const inputs = float16Inputs(node);
      const isFloat32 = (name: string): boolean => this.#types.get(scope, name) === ElementType.float32;
      if (inputs === null || inputs.length === 0 || !inputs.every((k) => isFloat32(node.input[k]))) continue;
      const name = nodeName(scope, node);
      const beyond = inputs.map((k) => this.#beyond(node.input[k])).find((each) => each !== null);
      if (beyond !== undefined) this.#refused.push({ node: name, operator: node.opType, why: `Float16 does not hold ${beyond}.` });
      // Arithmetic on constants alone is done once, and better in float32.
      else if (!inputs.every((k) => this.#constants.get(scope, node.input[k]) !== null)) this.#converted.set(node, inputs);
    }
  }

  #beyond(name: string): string | null {
    const constant = this.#constants.get(this.#scope, name);
    const values = constant === null ? null : constant.read();
    if (constant !== null && values === null) this.#isWaiting = true;
    const value = values === null ? null : beyondFloat16(values);
    return value === null ? null : `${value} of ${name}`;
  }

  /**
   * Gives the output of a converted node a name of its own, and the old name to a Cast where somebody wants float32.
   */
  #rename(node: NodeProto): void {
    const scope = this.#scope;
    for (const [k, name] of node.output.entries()) {
      if (name === "" || (k > 0 && isOperator(node, "MaxPool"))) continue;
      const half = this.#draft.freshName(`${name}_float16`);
      node.output[k] = half;
      this.#halves.set(name, half);
      const wanted = scope.outputs.has(name) || usesOf({ scope, name }).some((use) => !this.#reads(use.node, use.index));
      if (wanted) this.#cast(half, name, ElementType.float32, node);
      else if (scope.proto.$typeName === "batchnorm.onnx.GraphProto")
        scope.proto.valueInfo = scope.proto.valueInfo.filter((info) => info.name !== name);
    }
  }

  #reads(node: NodeProto, index: number): boolean {
    return this.#converted.get(node)?.includes(index) ?? false;
  }

  /** The float16 name of a value that is float32 so far. */
  #half(name: string): string {
    const known = this.#halves.get(name);
    if (known !== undefined) return known;
    const scope = this.#scope;
    const constant = this.#constants.get(scope, name);
    const producer = scope.producers.get(name);
    const isStored = constant !== null && !constant.overridable && (producer === undefined || producer.opType === "Constant");
    const half = this.#draft.freshName(`${name}_float16`);
    this.#halves.set(name, half);
    if (!isStored) {
      this.#cast(name, half, ElementType.float16, producer ?? null);
      return half;
    }
    const values = constant.read()!;
    this.#losses.push(lossOf(name, values));
    this.#draft.addTensor(scope, floatTensor(half, "float16", constant.dims, values));
    // Whoever reads it in float32 still does.
    this.#draft.drop(scope, name);
    return half;
  }

  #cast(input: string, output: string, to: number, after: NodeProto | null): void {
    const attribute = [create(AttributeProtoSchema, { name: "to", type: AttributeType.int, i: BigInt(to) })];
    const name = this.#draft.freshName(`${output}_cast`);
    this.#casts.push({ node: create(NodeProtoSchema, { opType: "Cast", name, input: [input], output: [output], attribute }), after });
  }

  /** Each Cast right after the node whose output it reads, those of inputs in front. */
  #insertCasts(): void {
    const { proto } = this.#scope;
    const after = new Map<NodeProto | null, NodeProto[]>();
    for (const { node, after: before } of this.#casts) after.set(before, [...(after.get(before) ?? []), node]);
    proto.node = [...(after.get(null) ?? []), ...proto.node.flatMap((node) => [node, ...(after.get(node) ?? [])])];
  }
}

function countBy(nodes: readonly NodeProto[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { opType } of nodes) counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
}

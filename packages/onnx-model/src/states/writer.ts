import type { BatchNormConfig } from "@batchnorm/spec";
import { type Draft, setFloatAttribute } from "../edit/draft.ts";
import { quoted } from "../errors.ts";
import type { ExternalData } from "../file/external.ts";
import { ARRAY_NAMES, type ArrayName, type Match, type Step } from "../find/match.ts";
import { type Analysis, analyse } from "../find/matches.ts";
import { hasAttribute } from "../graph/attribute.ts";
import type { Constant, Numbers } from "../graph/constant.ts";
import { producerOf, usesOf } from "../graph/scope.ts";
import type { TensorProto } from "../proto/index.ts";
import { type FloatName, isFloat } from "../tensor/element-type.ts";
import { sizeOf } from "../tensor/tensor-check.ts";
import { floatTensor, roundFloat } from "../tensor/write-tensor.ts";
import { cannotWrite, type Place, placeOf, refuseShared } from "./place.ts";
import { isExclusive, isolate, treeOf } from "./tree.ts";

type Arrays = Readonly<Record<ArrayName, Float32Array>>;

/** Writes the arrays of one layer, by the layer's form. */
export interface ArrayWriter {
  operator(arrays: Arrays, config: BatchNormConfig): void;
  unfolded(arrays: Arrays, epsilon: number): void;
  steps(arrays: Arrays, epsilon: number): void;
}

export class Writer implements ArrayWriter {
  readonly changed: string[] = [];
  readonly unshared: string[] = [];
  readonly #draft: Draft;
  readonly #external: ExternalData;
  readonly #name: string;
  #analysis: Analysis;
  #match: Match;

  constructor(draft: Draft, external: ExternalData, analysis: Analysis, match: Match, name: string) {
    this.#draft = draft;
    this.#external = external;
    this.#analysis = analysis;
    this.#match = match;
    this.#name = name;
  }

  /** The inputs and attributes of the node. */
  operator(arrays: Arrays, { epsilon, momentum }: BatchNormConfig): void {
    const { scope, sources } = this.#match;
    const [node] = this.#match.nodes;
    for (const [k, array] of ARRAY_NAMES.entries()) {
      const constant = sources[array]?.constant ?? null;
      this.#put(array, constant, arrays[array], () => placeOf(this.#analysis.root, scope, node, k + 1));
    }
    for (const [attribute, value] of [["epsilon", epsilon] as const, ["momentum", momentum] as const]) {
      if (Math.fround(value) === this.#match[attribute]) continue;
      if (scope.kind !== "graph" && hasReference(node, attribute)) {
        throw cannotWrite(
          `${attribute} of the layer ${quoted(this.#name)} is given by a call`,
          attribute,
          "an attribute of the node itself",
        );
      }
      setFloatAttribute(node, attribute, Math.fround(value));
      this.changed.push(attribute);
    }
  }

  /** The arrays at the ends of the arithmetic, which then gives the right k and l by itself. */
  unfolded(arrays: Arrays, epsilon: number): void {
    const wanted = [...ARRAY_NAMES.map((array) => [array, arrays[array]] as const), ["epsilon", Float32Array.of(epsilon)] as const];
    const changing = wanted.filter(([array, values]) => {
      const source = this.#match.sources[array];
      if (source !== undefined) return this.#differs(source.constant, values);
      if (values.every((value) => value === (array === "gamma" ? 1 : 0))) return false;
      throw cannotWrite(`The layer ${quoted(this.#name)} has no ${array}`, values, `${array === "gamma" ? "ones" : "zeros"}, or null`);
    });
    if (changing.length === 0) return;
    const tree = treeOf(this.#match);
    for (const scope of new Set([this.#match.scope, ...tree.nodes.values(), ...tree.leaves.map((leaf) => leaf.scope)]))
      refuseShared(this.#analysis.root, scope);
    if (!changing.every(([array]) => isExclusive(tree, this.#match.sources[array]!.value))) {
      this.unshared.push(...isolate(this.#draft, tree));
      this.#refresh();
    }
    for (const [array, values] of changing) {
      const { value, constant } = this.#match.sources[array]!;
      this.#check(array, constant, values);
      const tensor = (name: string): TensorProto => floatTensor(name, constant!.type as FloatName, constant!.dims, values);
      const producer = producerOf(value);
      if (producer === null || producer.opType === "Constant") this.#draft.addTensor(value.scope, tensor(value.name));
      else {
        // Something that fills or computes the array: a tensor takes its place.
        const name = this.#draft.freshName(`${this.#name}.${array}`);
        this.#draft.addTensor(value.scope, tensor(name));
        for (const { scope, node, index } of usesOf(value)) this.#draft.rewire(scope, node, index, name);
      }
      this.changed.push(array);
    }
  }

  /** Finds the layer again after its arithmetic was copied. */
  #refresh(): void {
    const { nodes, scope } = this.#match;
    this.#analysis = analyse(this.#draft.proto, this.#external);
    this.#match = this.#analysis.matches.find((each) => each.nodes[0] === nodes[0] && each.scope.path === scope.path)!;
  }

  /** The constants of the steps: x k + l, or (x - mean) k + beta. */
  steps(arrays: Arrays, epsilon: number): void {
    const { steps } = this.#match;
    const { gamma, beta, movingMean, movingVariance } = arrays;
    const k = Float64Array.from(gamma, (value, c) => value / Math.sqrt(movingVariance[c] + epsilon));
    const centred = steps[0].operation === "Sub";
    const last = steps[steps.length - 1];
    const shift = last.operation === "Add" || last.operation === "Sub" ? last : null;
    if (centred) this.#putStep("movingMean", steps[0], movingMean);
    let first = true;
    for (const step of steps) {
      if (step.operation !== "Mul" && step.operation !== "Div") continue;
      // All of k goes into the first factor.
      const factor = first ? k : k.map(() => 1);
      this.#putStep("multiplier", step, step.operation === "Div" ? factor.map((value) => 1 / value) : factor);
      first = false;
    }
    const offset = centred ? beta : k.map((value, c) => beta[c] - movingMean[c] * value);
    if (shift !== null)
      this.#putStep(centred ? "beta" : "offset", shift, shift.operation === "Sub" ? offset.map((value) => -value) : offset);
    else if (beta.some((value) => value !== 0)) throw cannotWrite(`The layer ${quoted(this.#name)} has no beta`, beta, "zeros, or null");
  }

  #putStep(label: string, { node, index, constant }: Step, values: Numbers): void {
    this.#put(label, constant, values, () => placeOf(this.#analysis.root, this.#match.scope, node, index));
  }

  /** Whether the file's numbers are others; no as long as they have to be loaded, since then all is done once more. */
  #differs(constant: Constant | null, values: Numbers): boolean {
    const before = constant === null ? null : constant.read();
    if (constant === null || before === null) return constant === null;
    const type = constant.type as FloatName;
    if (before instanceof Float32Array && values instanceof Float32Array && type === "float32") return !sameBits(before, values);
    return before.some((value, k) => !Object.is(value, roundFloat(type, values[k])));
  }

  /**
   * Refuses what has no place in the file: an array that is computed, of another shape, or of a type that does not hold
   * the numbers.
   */
  #check(label: string, constant: Constant | null, values: Numbers): asserts constant is Constant & { type: FloatName } {
    if (constant === null || !isFloat(constant.type)) {
      throw cannotWrite(`${label} of the layer ${quoted(this.#name)} is computed at run time`, this.#match.form, "a constant of the file");
    }
    const { type, dims } = constant;
    if (sizeOf(dims) !== values.length) {
      throw cannotWrite(`${label} of the layer ${quoted(this.#name)} has another shape`, dims, `${values.length} numbers`);
    }
    const lost = values.findIndex((value) => Number.isFinite(value) && !Number.isFinite(roundFloat(type, value)));
    if (lost >= 0)
      throw cannotWrite(`${label} of the layer ${quoted(this.#name)} does not fit its type`, values[lost], `a number that ${type} holds`);
  }

  #put(label: string, constant: Constant | null, values: Numbers, place: () => Place): void {
    if (!this.#differs(constant, values)) return;
    this.#check(label, constant, values);
    const { scope, node, index } = place();
    const before = node.input[index];
    const name = this.#draft.nameFor(scope, before, `${this.#name}.${label}`);
    if (name !== before && usesOf({ scope, name: before }).length > 1) this.unshared.push(before);
    this.#draft.addTensor(scope, floatTensor(name, constant.type, constant.dims, values));
    this.#draft.rewire(scope, node, index, name);
    this.changed.push(label);
  }
}

function hasReference(node: Match["nodes"][number], name: string): boolean {
  return hasAttribute(node, name) && node.attribute.some((each) => each.name === name && each.refAttrName !== "");
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [left, right] = [a, b].map((values) => new Uint32Array(values.buffer, values.byteOffset, values.length));
  return left.every((bits, k) => bits === right[k]);
}

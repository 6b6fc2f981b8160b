import { intAttribute, tensorAttribute } from "../graph/attribute.ts";
import { isOperator, producerOf, resolve, type Scope, type Value } from "../graph/scope.ts";
import { ElementType } from "../proto/index.ts";
import { keepsType, typeGivingInput } from "./operators.ts";

/** As deep as the walk upward goes: longer chains of nodes without a declared type are rare, and the stack ends. */
const DEEPEST = 2000;

/** The element types of values, as the file declares them or as the operators have it; null where neither is known. */
export class ElementTypes {
  readonly #known = new WeakMap<Scope, Map<string, number | null>>();

  get(scope: Scope, name: string): number | null {
    const value = resolve(scope, name);
    return value === null ? null : this.#of(value, 0);
  }

  #of(value: Value, depth: number): number | null {
    let known = this.#known.get(value.scope);
    if (known === undefined) {
      known = new Map();
      this.#known.set(value.scope, known);
    }
    const before = known.get(value.name);
    if (before !== undefined) return before;
    const type = depth > DEEPEST ? null : this.#find(value, depth);
    known.set(value.name, type);
    return type;
  }

  #find({ scope, name }: Value, depth: number): number | null {
    const tensor = scope.initializers.get(name);
    if (tensor !== undefined) return tensor.dataType;
    const node = producerOf({ scope, name });
    if (node !== null) {
      if (isOperator(node, "Cast")) return intAttribute(scope, node, "to", 0);
      if (isOperator(node, "Constant")) return this.#constant(scope, node);
      if (isOperator(node, "ConstantOfShape")) return tensorAttribute(scope, node, "value")?.dataType ?? ElementType.float32;
      if (keepsType(node, node.output.indexOf(name))) {
        const input = resolve(scope, node.input[typeGivingInput(node)]);
        return input === null ? null : this.#of(input, depth + 1);
      }
    }
    const declared = scope.types.get(name)?.value;
    return declared?.case === "tensorType" ? declared.value.elemType : null;
  }

  #constant(scope: Scope, node: Parameters<typeof tensorAttribute>[1]): number | null {
    const tensor = tensorAttribute(scope, node, "value");
    if (tensor !== null) return tensor.dataType;
    if (node.attribute.some(({ name }) => name.startsWith("value_float"))) return ElementType.float32;
    return node.attribute.some(({ name }) => name.startsWith("value_int")) ? ElementType.int64 : null;
  }
}

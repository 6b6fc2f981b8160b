import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Random numbers from a seed, the same everywhere: xorshift32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }

  below(limit: number): number {
    return this.next() % Math.max(1, limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }
}

/** A field of a message: a number, bytes, or a message of fields. */
interface Field {
  no: number;
  wire: WireType;
  value: bigint | Uint8Array | Field[];
}

function parse(schema: DescMessage, bytes: Uint8Array): Field[] {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [no, wire] = reader.tag();
    const known = schema.fields.find((field) => field.number === no);
    const inner = known?.fieldKind === "message" || known?.fieldKind === "list" ? known.message : undefined;
    if (wire === WireType.Varint) fields.push({ no, wire, value: reader.uint64() as bigint });
    else if (wire === WireType.LengthDelimited) {
      const data = reader.bytes();
      fields.push({ no, wire, value: inner === undefined ? data : parse(inner, data) });
    } else fields.push({ no, wire, value: reader.skip(wire) });
  }
  return fields;
}

function write(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { no, wire, value } of fields) {
    writer.tag(no, wire);
    if (typeof value === "bigint") writer.uint64(value);
    else if (Array.isArray(value)) writer.bytes(write(value));
    else if (wire === WireType.LengthDelimited) writer.bytes(value);
    else writer.raw(value);
  }
  return writer.finish();
}

const ABSURD: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  255n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
  4_600_000_000_000_000_000n,
];

/**
 * One change of a model as a tree of fields, whose lengths stay right: a field twice, gone, exchanged, another number,
 * other data.
 */
export function mutateTree(schema: DescMessage, bytes: Uint8Array, random: Random): Uint8Array {
  const tree = parse(schema, bytes);
  const changes = random.below(4) === 0 ? 1 + random.below(3) : 1;
  for (let k = 0; k < changes; k++) {
    let list = tree;
    // Downward with two chances in three at each level, so that all levels are met.
    for (;;) {
      const inner = list.filter((field) => Array.isArray(field.value) && field.value.length > 0);
      if (inner.length === 0 || random.below(4) === 0) break;
      list = random.pick(inner).value as Field[];
    }
    const at = random.below(list.length);
    const field = list[at];
    switch (random.below(8)) {
      case 0:
        list.splice(random.below(list.length + 1), 0, field);
        break;
      case 1:
        list.splice(at, 1);
        break;
      case 2:
        list[at] = { ...random.pick(list), no: field.no };
        break;
      case 3:
        list[at] = { ...field, no: 1 + random.below(30) };
        break;
      case 4:
        list[at] = { no: field.no, wire: WireType.Varint, value: random.pick(ABSURD) };
        break;
      case 5:
        list.splice(at, 0, {
          no: field.no,
          wire: WireType.LengthDelimited,
          value: Uint8Array.from({ length: random.below(20) }, () => random.below(256)),
        });
        break;
      case 6:
        if (typeof field.value === "bigint") field.value = random.pick(ABSURD);
        else if (field.value instanceof Uint8Array) field.value = field.value.slice(0, random.below(field.value.length + 1));
        break;
      default:
        if (field.value instanceof Uint8Array && field.value.length > 0) {
          field.value = field.value.slice();
          field.value[random.below(field.value.length)] = random.below(256);
        } else if (typeof field.value === "bigint") field.value ^= 1n << BigInt(random.below(8));
    }
  }
  return write(tree);
}

/**
 * One change of the bytes, with no regard to what they mean: bits, an end too early, numbers or a stretch put in, a
 * stretch gone.
 */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = bytes.slice();
  const at = random.below(bytes.length);
  switch (random.below(6)) {
    case 0:
      for (let k = 0; k <= random.below(4); k++) changed[random.below(changed.length)] ^= 1 << random.below(8);
      return changed;
    case 1:
      return changed.subarray(0, at);
    case 2: {
      const writer = new BinaryWriter().uint64(random.pick(ABSURD));
      return joined(bytes.subarray(0, at), writer.finish(), bytes.subarray(at));
    }
    case 3: {
      const end = at + random.below(40);
      return joined(bytes.subarray(0, end), bytes.subarray(at));
    }
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(20)));
    default:
      changed[at] = random.below(256);
      return changed;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

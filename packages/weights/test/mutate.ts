import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Numbers that break sizes, counts and addresses. */
const ABSURD = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Damages files at random; the same seed gives the same damage. */
export class Mutator {
  readonly #random;

  constructor(seed: number) {
    this.#random = xoroshiro128plus(seed);
  }

  /** A whole number from 0 up, below `count`. */
  below(count: number): number {
    return uniformInt(this.#random, 0, count - 1);
  }

  /** A damaged copy, most often in one to eight places, of which the first kilobytes have more than their share. */
  mutate(bytes: Uint8Array): Uint8Array {
    let copy = Uint8Array.from(bytes);
    for (let count = 1 + this.below(8); count > 0 && copy.length > 0; count--) copy = this.#damage(copy);
    return copy;
  }

  #damage(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = this.below(this.below(2) === 0 ? bytes.length : Math.min(bytes.length, 4096));
    const length = Math.min(1 + this.below(64), bytes.length - at);
    switch (this.below(10)) {
      case 0:
        return bytes.slice(0, at);
      case 1: {
        const joined = new Uint8Array(bytes.length - length);
        joined.set(bytes.subarray(0, at));
        joined.set(bytes.subarray(at + length), at);
        return joined;
      }
      case 2:
        bytes.copyWithin(this.below(bytes.length), at, at + length);
        return bytes;
      case 3:
      case 4:
        bytes[at] ^= 1 << this.below(8);
        return bytes;
      case 5:
      case 6: {
        // A number of 1, 2, 4 or 8 bytes.
        const value = ABSURD[this.below(ABSURD.length)];
        for (let k = 0, size = 1 << this.below(4); k < size && at + k < bytes.length; k++) bytes[at + k] = k < 4 ? value >>> (8 * k) : 0;
        return bytes;
      }
      default:
        bytes[at] = this.below(256);
        return bytes;
    }
  }
}

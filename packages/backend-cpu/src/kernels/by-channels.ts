/** What is kept for as many numbers of channels, as a model's layers have them, and for no more channels than this. */
const MOST_KEPT = 16;
const WIDEST_KEPT = 8192;

/**
 * Arrays of each channel, `[channels]`, that calls use one after another: made for a number of channels when that is first met,
 * and kept. With 48 bytes a channel, that is 6 MB at most.
 */
export class ByChannels<Arrays> {
  readonly #make: (channels: number) => Arrays;
  readonly #kept = new Map<number, Arrays>();

  constructor(make: (channels: number) => Arrays) {
    this.#make = make;
  }

  get(channels: number): Arrays {
    const kept = this.#kept.get(channels);
    if (kept !== undefined) return kept;
    const arrays = this.#make(channels);
    if (channels > WIDEST_KEPT) return arrays;
    if (this.#kept.size === MOST_KEPT) this.#kept.clear();
    this.#kept.set(channels, arrays);
    return arrays;
  }
}

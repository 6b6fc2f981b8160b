import { describe, expect, test } from "vitest";
import {
  type CallContext,
  type CallOptions,
  checkBackward,
  type HostTensor,
  planForward,
  resolveConfig,
  type Supports,
} from "../src/index.ts";
import { mask, SUPPORTS, tensor, tensors } from "./fakes.ts";

const x = tensor([2, 3, 2]);

function context(config = {}, supports: Partial<Supports> = {}): CallContext<HostTensor> {
  return { ...tensors, config: resolveConfig(config), supports: { ...SUPPORTS, ...supports }, channels: 2 };
}

const plan = (options: CallOptions<HostTensor> = {}, config = {}, supports: Partial<Supports> = {}) =>
  planForward(context(config, supports), x, options);

describe("planForward", () => {
  test("of a plain call is inference that keeps nothing", () => {
    expect(plan()).toEqual({
      shape: [2, 3, 2],
      view: { outer: 6, channels: 2, inner: 1 },
      mode: { normalizeWith: "moving", updateStatistics: false, parameterGradients: true },
      mask: null,
      out: null,
      gradient: false,
    });
  });

  test("of a training call normalizes with the batch and keeps the pass", () => {
    expect(plan({ training: true })).toMatchObject({ mode: { normalizeWith: "batch", updateStatistics: true }, gradient: true });
  });

  test.for([
    [{ training: false }, false],
    [{ training: true }, true],
    [{ training: true, gradient: false }, false],
    [{ training: false, gradient: true }, true],
  ] as const)("%o keeps the pass: %s", ([options, kept]) => {
    expect(plan(options).gradient).toBe(kept);
  });

  test("training without backward is possible where the backend has none", () => {
    expect(plan({ training: true }, {}, { gradients: false }).gradient).toBe(false);
  });

  test("views x around the configured axis", () => {
    expect(plan({}, { axis: 0 }).view).toEqual({ outer: 1, channels: 2, inner: 6 });
  });

  test("hands a mask on only where the batch normalizes", () => {
    const shown = mask([2, 3]);
    expect(plan({ training: true, mask: shown }).mask).toBe(shown);
    expect(plan({ training: false, mask: shown }).mask).toBeNull();
    expect(plan({ training: true, mask: shown }, { trainable: false }).mask).toBeNull();
    expect(plan({ training: true, mask: null }).mask).toBeNull();
  });

  test("checks a mask even where it will not be used", () => {
    expect(() => plan({ training: false, mask: mask([2]) })).toThrow("The mask has the wrong shape: received [2], expected [2, 3]");
    expect(() => plan({ training: true, mask: mask([2]) }, { trainable: false })).toThrow("The mask has the wrong shape");
  });

  test("hands out on, and lets it lie over x where no backward needs x", () => {
    const out = tensor([2, 3, 2]);
    expect(plan({ training: true, out }).out).toBe(out);
    expect(plan({ out: x }).out).toBe(x);
    expect(plan({ training: true, gradient: false, out: x }).out).toBe(x);
    expect(plan({ training: true, out: x }, {}, { gradients: false }).out).toBe(x);
    expect(() => plan({ gradient: true, out: x })).toThrow("out overlaps x, which backward needs");
  });

  test("an empty batch is refused only where the batch would normalize", () => {
    const empty = tensor([0, 3, 2]);
    expect(planForward(context(), empty, {}).view).toEqual({ outer: 0, channels: 2, inner: 1 });
    expect(planForward(context({ trainable: false }), empty, { training: true }).mode.normalizeWith).toBe("moving");
    expect(() => planForward(context(), empty, { training: true })).toThrow("There is nothing to train on");
  });

  test("a frozen layer may be called with training where the backend cannot train", () => {
    expect(plan({ training: true }, { trainable: false }, { training: false }).mode.normalizeWith).toBe("moving");
  });

  test("takes the greatest rank that the backend declares", () => {
    expect(plan({}, {}, { maxRank: 3 }).shape).toEqual([2, 3, 2]);
    expect(() => plan({}, {}, { maxRank: 2 })).toThrow("This backend does not take such a rank: received 3, expected at most 2.");
  });

  test("does not ask about overlap where the backend takes no out", () => {
    const asking: CallContext<HostTensor> = {
      ...context({}, { out: false }),
      overlaps: () => {
        throw new Error("asked");
      },
    };
    expect(() => planForward(asking, x, { training: true })).not.toThrow();
    expect(() => planForward(asking, x, { training: true, out: x })).toThrow("This backend takes no output buffer");
  });

  test("does not need a length from a runtime that ties data to shape", () => {
    const tied: CallContext<HostTensor> = { ...context(), describe: ({ shape }) => ({ shape, dtype: "float32" }) };
    expect(planForward(tied, { data: new Float32Array(0), shape: [2, 3, 2] }, {}).shape).toEqual([2, 3, 2]);
  });
});

describe("checkBackward", () => {
  const forward = { plan: plan({ training: true }), x };
  const dy = tensor([2, 3, 2]);

  test("takes dy in the shape of the output, and out over dy", () => {
    expect(() => checkBackward(context(), forward, dy, null)).not.toThrow();
    expect(() => checkBackward(context(), forward, dy, dy)).not.toThrow();
  });

  test("refuses out over x", () => {
    expect(() => checkBackward(context(), forward, dy, x)).toThrow("out overlaps x, which another backward would need");
  });

  test("refuses out where the backend takes none", () => {
    expect(() => checkBackward(context({}, { out: false }), forward, dy, dy)).toThrow("This backend takes no output buffer");
  });
});

import { describe, expect, test } from "vitest";
import { type CallContext, checkBackward, checkCall } from "../src/checks.ts";
import {
  type CallOptions,
  defineBackend,
  type FloatTensor,
  type HostTensor,
  hostTensors,
  type MaskTensor,
  type Pass,
  resolveConfig,
  type Supports,
} from "../src/index.ts";
import { mask, tensor } from "./fakes.ts";

type Context = CallContext<FloatTensor, MaskTensor>;

const SUPPORTS: Supports = {
  ...defineBackend({ name: "fake", infer: ({ x }) => ({ y: x }) }).supports,
  training: true,
  gradients: true,
  masks: true,
  out: true,
};

const x = tensor([2, 3, 2]);

function context(config = {}, supports: Partial<Supports> = {}): Context {
  return { tensors: hostTensors, config: resolveConfig(config), supports: { ...SUPPORTS, ...supports }, channels: 2 };
}

const plan = (options: CallOptions<FloatTensor, MaskTensor> = {}, config = {}, supports: Partial<Supports> = {}) =>
  checkCall(context(config, supports), null, x, options);

describe("checkCall", () => {
  test("of a plain call is inference that keeps nothing", () => {
    expect(plan()).toEqual({
      dtype: "float32",
      shape: [2, 3, 2],
      view: { outer: 6, channels: 2, inner: 1 },
      training: false,
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
    expect(() => plan({ gradient: true, out: x })).toThrow("out overlaps x, which is still needed");
  });

  test("an empty batch is refused only where the batch would normalize", () => {
    const empty = tensor([0, 3, 2]);
    expect(checkCall(context(), null, empty, {}).view).toEqual({ outer: 0, channels: 2, inner: 1 });
    expect(checkCall(context({ trainable: false }), null, empty, { training: true }).mode.normalizeWith).toBe("moving");
    expect(() => checkCall(context(), null, empty, { training: true })).toThrow("There is nothing to train on");
  });

  test("a frozen layer may be called with training where the backend cannot train", () => {
    expect(plan({ training: true }, { trainable: false }, { training: false }).mode.normalizeWith).toBe("moving");
  });

  test("takes the greatest rank that the backend declares", () => {
    expect(plan({}, {}, { maxRank: 3 }).shape).toEqual([2, 3, 2]);
    expect(() => plan({}, {}, { maxRank: 2 })).toThrow("This backend does not take such a rank: received 3, expected at most 2.");
  });

  test("does not ask about overlap where the backend takes no out", () => {
    const overlap = (): never => {
      throw new Error("asked");
    };
    const asking: Context = { ...context({}, { out: false }), tensors: { ...hostTensors, overlap } };
    expect(() => checkCall(asking, null, x, { training: true })).not.toThrow();
    expect(() => checkCall(asking, null, x, { training: true, out: x })).toThrow("This backend takes no output buffer");
  });

  test("does not need a length from a runtime that ties data to shape", () => {
    const tied: Context = { ...context(), tensors: { describe: ({ shape }) => ({ shape, dtype: "float32" }) } };
    expect(checkCall(tied, null, { data: new Float32Array(0), shape: [2, 3, 2] }, {}).shape).toEqual([2, 3, 2]);
  });
});

describe("out", () => {
  const memory = new ArrayBuffer(200);
  const at = (offset: number): FloatTensor => ({ data: new Float32Array(memory, offset, 12), shape: [2, 3, 2] });

  test.for([4, 44])("that lies over part of x, %i bytes on, is refused", (offset) => {
    const action = () => checkCall(context(), null, at(0), { out: at(offset) });
    expect(action).toThrow('received "part of the memory of x", expected x itself, or other memory.');
  });

  test("beside x in one memory is taken", () => {
    expect(checkCall(context(), null, at(0), { out: at(48) }).out).not.toBeNull();
  });

  test("over the mask is refused, even where moving statistics normalize", () => {
    const shown: MaskTensor = { data: new Uint8Array(memory, 50, 6), shape: [2, 3] };
    expect(() => checkCall(context(), null, at(100), { mask: shown, out: at(8) })).toThrow("out overlaps the mask");
  });

  test("of backward over part of dy, or over the mask, is refused", () => {
    const shown: MaskTensor = { data: new Uint8Array(memory, 150, 6), shape: [2, 3] };
    const pass = passOf({ training: true, mask: shown });
    expect(() => checkBackward(context(), pass, at(0), { out: at(4) })).toThrow("out overlaps dy");
    expect(() => checkBackward(context(), pass, at(0), { out: at(148) })).toThrow("out overlaps the mask");
  });
});

function passOf(options: CallOptions<FloatTensor, MaskTensor>): Pass<FloatTensor, null, MaskTensor> {
  return { ...plan(options), x, config: resolveConfig(), state: null };
}

describe("checkBackward", () => {
  const pass = passOf({ training: true });
  const dy = tensor([2, 3, 2]);

  test("takes dy in the shape of the output, and out over dy", () => {
    expect(() => checkBackward(context(), pass, dy, {})).not.toThrow();
    expect(() => checkBackward(context(), pass, dy, { out: dy })).not.toThrow();
  });

  test("refuses out over x", () => {
    expect(() => checkBackward(context(), pass, dy, { out: x })).toThrow("out overlaps x, which is still needed");
  });

  test("refuses out where the backend takes none", () => {
    expect(() => checkBackward(context({}, { out: false }), pass, dy, { out: dy })).toThrow("This backend takes no output buffer");
  });
});

describe("half precision", () => {
  const half = (dtype: "float16" | "bfloat16"): FloatTensor =>
    ({ data: new Uint16Array(12), shape: [2, 3, 2], dtype }) as HostTensor as FloatTensor;
  const both = context({}, { dtypes: ["float32", "float16", "bfloat16"] });
  const passOfHalf: Pass<FloatTensor, null, MaskTensor> = {
    ...checkCall(both, null, half("float16"), { training: true }),
    x: half("float16"),
    config: resolveConfig(),
    state: null,
  };

  test("is a dtype like another", () => {
    expect(passOfHalf.dtype).toBe("float16");
    expect(() => checkCall(both, null, half("float16"), { out: half("float16") })).not.toThrow();
    expect(() => checkBackward(both, passOfHalf, half("float16"), { out: half("float16") })).not.toThrow();
  });

  test("is refused where the manifest does not list it", () => {
    expect(() => checkCall(context(), null, half("float16"), {})).toThrow(
      'The dtype of x is not taken: received "float16", expected float32.',
    );
  });

  test.each([half("bfloat16"), x])("out of another dtype is refused", (out) => {
    expect(() => checkCall(both, null, half("float16"), { out })).toThrow("out has the wrong dtype");
    expect(() => checkBackward(both, passOfHalf, half("float16"), { out })).toThrow("out has the wrong dtype");
  });

  test.each([half("bfloat16"), x])("dy of another dtype than x is refused", (dy) => {
    expect(() => checkBackward(both, passOfHalf, dy, {})).toThrow(/dy has the wrong dtype.*float16, the dtype of the last output/);
  });
});

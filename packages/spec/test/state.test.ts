import { describe, expect, test } from "vitest";
import { copyState, initialState, resolveState } from "../src/index.ts";
import { resolveStateUpdate } from "../src/state.ts";

const on = { scale: true, center: true };
const f32 = (...values: number[]): Float32Array => Float32Array.from(values);

describe("initialState", () => {
  test("is Keras's: gamma and movingVariance one, beta and movingMean zero", () => {
    expect(initialState({}, 2)).toEqual(initialState(on, 2));
    expect(initialState(on, 2)).toEqual({
      parameters: { gamma: f32(1, 1), beta: f32(0, 0) },
      statistics: { movingMean: f32(0, 0), movingVariance: f32(1, 1) },
    });
  });

  test("has no gamma without scale and no beta without center", () => {
    expect(initialState({ scale: false, center: true }, 1).parameters).toEqual({ gamma: null, beta: f32(0) });
    expect(initialState({ scale: true, center: false }, 1).parameters).toEqual({ gamma: f32(1), beta: null });
  });

  test.for([0, -1, 1.5, Number.NaN])("refuses %s channels", (channels) => {
    expect(() => initialState(on, channels)).toThrow("The number of channels is wrong");
  });
});

describe("resolveState", () => {
  test("takes plain arrays and rounds to the nearest float32", () => {
    const state = resolveState(on, {
      parameters: { gamma: [0.1], beta: [1e39] },
      statistics: { movingMean: [2 ** 24 + 1], movingVariance: [1e-50] },
    });
    expect(state.parameters).toEqual({ gamma: f32(Math.fround(0.1)), beta: f32(Number.POSITIVE_INFINITY) });
    expect(state.statistics).toEqual({ movingMean: f32(2 ** 24), movingVariance: f32(0) });
  });

  test("gives arrays that nobody else holds", () => {
    const given = initialState(on, 1);
    const state = resolveState(on, given);
    given.parameters.gamma?.fill(7);
    given.parameters.beta?.fill(7);
    given.statistics.movingMean.fill(7);
    given.statistics.movingVariance.fill(7);
    expect(state).toEqual(initialState(on, 1));
  });

  test("an absent parameter may be left out, undefined or null", () => {
    const statistics = { movingMean: [0], movingVariance: [1] };
    const off = { scale: false, center: false };
    for (const parameters of [{}, { gamma: null, beta: null }, { gamma: undefined } as never]) {
      expect(resolveState(off, { parameters, statistics }).parameters).toEqual({ gamma: null, beta: null });
    }
  });

  test("lets a NaN, an infinity and -0 stand in the variance", () => {
    const variance = f32(Number.NaN, Number.POSITIVE_INFINITY, -0);
    const state = resolveState(
      { scale: false, center: false },
      { parameters: {}, statistics: { movingMean: [0, 0, 0], movingVariance: variance } },
    );
    expect(state.statistics.movingVariance).toEqual(variance);
  });

  test("says which channel has the negative variance", () => {
    const input = { parameters: {}, statistics: { movingMean: [0, 0, 0], movingVariance: [1, 0, -2] } };
    expect(() => resolveState({ scale: false, center: false }, input)).toThrow("movingVariance is negative in channel 2");
  });
});

describe("resolveStateUpdate", () => {
  test("gives what was given, copied, and nothing else", () => {
    const gamma = f32(3);
    const update = resolveStateUpdate(on, 1, { parameters: { gamma }, statistics: { movingVariance: [4] } });
    gamma.fill(9);
    expect(update).toEqual({ parameters: { gamma: f32(3) }, statistics: { movingVariance: f32(4) } });
    expect(resolveStateUpdate(on, 1, {})).toEqual({ parameters: {}, statistics: {} });
  });

  test("a whole state is an update, with null for what the layer does not have", () => {
    const config = { scale: false, center: true };
    const { parameters, statistics } = initialState(config, 2);
    expect(resolveStateUpdate(config, 2, { parameters, statistics })).toEqual({ parameters: { beta: f32(0, 0) }, statistics });
  });

  test("refuses unknown fields", () => {
    expect(() => resolveStateUpdate(on, 1, { gama: [1] } as never)).toThrow('The state cannot have this key: received "gama"');
    expect(() => resolveStateUpdate(on, 1, { statistics: { mean: [1] } } as never)).toThrow(
      'The state\'s statistics cannot have this key: received "mean"',
    );
  });

  test.each([
    [{ gamma: [1] }, 'The state cannot have this key: received "gamma", expected it in the parameters: { parameters: { gamma } }.'],
    [{ movingMean: [1] }, 'The state cannot have this key: received "movingMean", expected it in the statistics'],
    [{ parameters: { movingVariance: [1] } }, 'parameters cannot have this key: received "movingVariance", expected it in the statistics'],
    [{ statistics: { beta: [1] } }, 'statistics cannot have this key: received "beta", expected it in the parameters'],
  ])("says where a field of %j belongs", (update, sentence) => {
    expect(() => resolveStateUpdate(on, 1, update as never)).toThrow(sentence);
  });
});

test("copyState shares no memory, and keeps what is absent absent", () => {
  const state = initialState({ scale: true, center: false }, 1);
  const copy = copyState(state);
  state.parameters.gamma?.fill(5);
  state.statistics.movingMean.fill(5);
  state.statistics.movingVariance.fill(5);
  expect(copy).toEqual(initialState({ scale: true, center: false }, 1));
});

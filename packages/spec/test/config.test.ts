import { expect, test } from "vitest";
import { DEFAULT_CONFIG, resolveConfig } from "../src/index.ts";

test("the defaults are Keras 3's", () => {
  expect(resolveConfig()).toEqual({
    axis: -1,
    momentum: 0.99,
    epsilon: 0.001,
    center: true,
    scale: true,
    trainable: true,
    varianceEstimator: "population",
    nonFinite: "propagate",
  });
});

test("what is given is kept, and undefined is not given", () => {
  const given = {
    axis: 1,
    momentum: 0.5,
    epsilon: 1e-5,
    center: false,
    scale: false,
    trainable: false,
    varianceEstimator: "sample",
    nonFinite: "reject",
  } as const;
  expect(resolveConfig(given)).toEqual(given);
  expect(resolveConfig({ ...given, momentum: undefined } as never).momentum).toBe(0.99);
});

test("a resolved config is frozen, and not the caller's object", () => {
  const given = { axis: 1 };
  const config = resolveConfig(given);
  given.axis = 2;
  expect(config.axis).toBe(1);
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(DEFAULT_CONFIG)).toBe(true);
});

test.for([0, 1])("momentum %s is allowed", (momentum) => {
  expect(resolveConfig({ momentum }).momentum).toBe(momentum);
});

test.for([2 ** -126, (2 - 2 ** -23) * 2 ** 127])("epsilon %s is a normal float32, at the very end of the range", (epsilon) => {
  expect(resolveConfig({ epsilon }).epsilon).toBe(epsilon);
});

test("an error of the config leaves no trace in the defaults", () => {
  expect(() => resolveConfig({ epsilon: -1 })).toThrow("epsilon is out of range");
  expect(resolveConfig().epsilon).toBe(0.001);
});

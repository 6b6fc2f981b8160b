import { expect, test } from "vitest";
import { initialState, resolveLayer } from "../src/index.ts";
import { SUPPORTS } from "./fakes.ts";

const state = initialState({ scale: true, center: true }, 2);

test("fills in the config and copies the state", () => {
  const init = resolveLayer(SUPPORTS, { axis: 1, varianceEstimator: "sample", nonFinite: "reject" }, state);
  expect(init.config).toMatchObject({ axis: 1, epsilon: 0.001, varianceEstimator: "sample", nonFinite: "reject" });
  expect(init.state).toEqual(state);
  expect(init.state.statistics.movingMean).not.toBe(state.statistics.movingMean);
});

test("refuses a state that does not belong to the config", () => {
  expect(() => resolveLayer(SUPPORTS, { scale: false }, state)).toThrow("gamma is present");
});

import { expect, test } from "vitest";
import { backendsOn, plan } from "../src/plan.ts";
import { RUNTIMES } from "../src/runtimes.ts";

test("every backend without graphics has the whole suite on one runtime, and every runtime has some of it", () => {
  const tasks = plan([], [], "once");
  const whole = tasks.filter(({ quick }) => !quick).map(({ backend }) => backend);
  const withoutGraphics = RUNTIMES.flatMap(backendsOn).filter((name) => !/webg/.test(name));
  expect(whole.sort()).toEqual([...new Set(withoutGraphics)].sort());
  expect(new Set(tasks.map(({ runtime }) => runtime.id))).toEqual(new Set(RUNTIMES.map(({ id }) => id)));
  expect(new Set(tasks.map(({ runtime, backend }) => `${backend} on ${runtime.id}`)).size).toBe(tasks.length);
});

test("what draws with a graphics card is only asked of Chromium, which has one in software", () => {
  const tasks = plan([], ["tfjs/webgl", "onnx/webgpu"], "quick");
  expect(tasks.map(({ runtime, backend, quick }) => [runtime.id, backend, quick])).toEqual([
    ["chromium", "tfjs/webgl", true],
    ["chromium", "onnx/webgpu", true],
  ]);
});

test("runtimes and backends narrow the plan", () => {
  expect(plan(["deno", "node-26"], ["cpu"], "whole").map(({ runtime, quick }) => [runtime.id, quick])).toEqual([
    ["node-26", false],
    ["deno", false],
  ]);
});

test("a runtime or a backend that does not exist is refused, and so is a plan of nothing", () => {
  expect(() => plan(["node-21"], [], "once")).toThrow("--runtime node-21: there is none of this name, expected one of node-20, node-22,");
  expect(() => plan([], ["gpu"], "once")).toThrow("--backend gpu: there is none of this name, expected one of cpu, ");
  expect(() => plan(["firefox"], ["onnx/cpu"], "once")).toThrow("onnx/cpu does not run on firefox");
});

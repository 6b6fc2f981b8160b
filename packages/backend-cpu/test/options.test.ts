import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectErrorCode } from "./expect-error-code.ts";

describe("createBackend", () => {
  it("is named after what it computes with", () => {
    const names = [{}, { kernels: "auto" }, { kernels: "plain" }, { kernels: "wasm" }, { threads: 2 }, { threads: 1 }] as const;
    expect(names.map((options) => createBackend(options).name)).toEqual(["cpu", "cpu", "cpu/plain", "cpu/wasm", "cpu/threads", "cpu"]);
  });

  it("says what computes", () => {
    expect(createBackend().kernels).toBe("wasm");
    expect(createBackend({ kernels: "plain" }).kernels).toBe("plain");
  });

  it("refuses other kernels and other numbers of threads", () => {
    expectErrorCode(() => createBackend({ kernels: "simd" as never }), "invalid-argument");
    for (const threads of [0, -1, 1.5, Number.NaN, "2" as never]) expectErrorCode(() => createBackend({ threads }), "invalid-argument");
  });

  it("refuses unknown options, and anything but a plain object", () => {
    expectErrorCode(() => createBackend({ thread: 2 } as never), "invalid-argument");
    for (const options of [null, 2, "wasm", [], new Map(), Promise.resolve({}), new (class Options {})()]) {
      expectErrorCode(() => createBackend(options as never), "invalid-argument");
    }
    expect(createBackend(Object.assign(Object.create(null), { kernels: "plain" })).kernels).toBe("plain");
  });

  it("takes an option that is undefined as left out", () => {
    expect(createBackend({ kernels: undefined, threads: undefined }).name).toBe("cpu");
  });

  it("has one thread where it needs no more", async () => {
    expect(await createBackend().ready).toBe(1);
    expect(await createBackend({ kernels: "plain", threads: 4 }).ready).toBe(1);
  });

  it("has no more threads than the machine runs at once", async () => {
    const backend = createBackend({ threads: 256 });
    expect(await backend.ready).toBeLessThanOrEqual(availableParallelism());
    backend.terminate();
  });
});

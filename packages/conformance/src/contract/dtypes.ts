import { hostTensor, isFloat32, numbersOf } from "../checks/host-numbers.ts";
import { bitsOf, type HalfDType } from "../vectors/half.ts";
import { PLAIN_X, type Rule } from "./rule.ts";

const BOTH: readonly HalfDType[] = ["float16", "bfloat16"];

/** Element types other than float32: what becomes of them on the way in. halves.ts has what a backend does with them. */
export const DTYPES: readonly Rule[] = [
  {
    id: "float64-on-the-host",
    clause: "13.2",
    must: "float64 data that is uploaded MUST become a tensor that is taken, float64 where the manifest has it and else float32, or be refused with unknown-dtype.",
    run: async (bench) => {
      const { supports } = bench.backend;
      const layer = bench.create();
      const expected = await bench.read(await layer.call(bench.tensor()));
      const data = Float64Array.from(PLAIN_X);
      let found: Awaited<ReturnType<typeof bench.backend.download>> | null = null;
      try {
        found = await bench.backend.download(await layer.call(bench.backend.upload({ data, shape: [3, 2] })));
      } catch (error) {
        const code = (error as { code?: unknown } | null)?.code;
        bench.expect(code === "unknown-dtype", `It was refused with the code ${String(code)}, expected unknown-dtype or a result.`);
      }
      if (supports.dtypes.includes("float64")) {
        bench.expect(found?.data instanceof Float64Array, "The manifest has float64, but of float64 x there is no float64 y.");
      } else if (found !== null) {
        bench.expect(isFloat32(found.data), "The manifest has no float64, but y is not float32.");
      }
      if (found !== null) bench.same(Float32Array.from(found.data), expected, "The output is another one than that of the same float32 x");
    },
  },
  {
    id: "half-that-is-not-listed",
    clause: "13.2",
    must: "float16 and bfloat16 MUST be refused with unknown-dtype by a backend whose manifest does not list them.",
    run: async (bench) => {
      for (const dtype of BOTH.filter((each) => !bench.backend.supports.dtypes.includes(each))) {
        const x = hostTensor(Float32Array.from(PLAIN_X), [3, 2], dtype);
        await bench.refuses("unknown-dtype", `An x of ${dtype}`, async () => bench.create().call(bench.backend.upload(x)));
      }
    },
  },
  {
    id: "bits-of-no-dtype",
    clause: "13.2",
    must: "A Uint16Array without a dtype, and a dtype of half precision beside another array, MUST be refused with unknown-dtype.",
    run: async (bench) => {
      const { upload } = bench.backend;
      const data = bitsOf(PLAIN_X, "float16");
      await bench.refuses("unknown-dtype", "A Uint16Array without a dtype", async () => upload({ data, shape: [3, 2] }));
      await bench.refuses("unknown-dtype", "A Uint16Array of a half", async () => upload({ data, shape: [3, 2], dtype: "half" as never }));
      for (const dtype of BOTH) {
        const float32 = { data: Float32Array.from(PLAIN_X), shape: [3, 2], dtype };
        await bench.refuses("unknown-dtype", `A Float32Array of ${dtype}`, async () => upload(float32));
      }
    },
  },
  {
    id: "float16-array",
    clause: "13.2",
    needs: ["float16-array"],
    must: "A Float16Array MUST be taken for float16, whether a dtype says so or not.",
    run: async (bench) => {
      const { backend } = bench;
      const { Float16Array } = globalThis as unknown as { readonly Float16Array: { from(values: readonly number[]): Uint16Array } };
      const layer = bench.create();
      const ofBits = await backend.download(await layer.call(backend.upload(hostTensor(Float32Array.from(PLAIN_X), [3, 2], "float16"))));
      for (const dtype of [undefined, "float16"] as const) {
        const x = { data: Float16Array.from(PLAIN_X), shape: [3, 2], ...(dtype && { dtype }) };
        const y = await backend.download(await layer.call(backend.upload(x)));
        bench.same(numbersOf(y, "float16"), numbersOf(ofBits), `With the dtype ${dtype} y is another one than that of the same bits`);
      }
      const wrong = { data: Float16Array.from(PLAIN_X), shape: [3, 2], dtype: "bfloat16" as const };
      await bench.refuses("unknown-dtype", "A Float16Array of bfloat16", async () => backend.upload(wrong));
    },
  },
];

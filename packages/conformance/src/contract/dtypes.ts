import { isFloat32 } from "../checks/execute.ts";
import { PLAIN_X, type Rule } from "./rule.ts";

/** Element types other than float32. float16 and bfloat16 have no array on the host: they cannot be asked for here. */
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
];

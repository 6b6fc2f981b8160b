import type { Competitor } from "../competitor.ts";
import { COPY } from "../names.ts";

/** `Float32Array.prototype.set` into a buffer that exists: the least that reading x and writing y can cost. */
export async function copy(): Promise<Competitor> {
  return {
    name: COPY,
    prepare: async ({ work, x }) => {
      if (work !== "inference") return null;
      const y = new Float32Array(x.length);
      return {
        run: () => y.set(x),
        results: () => null,
        dispose: () => {},
      };
    },
  };
}

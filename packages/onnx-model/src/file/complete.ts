import type { OnnxModel } from "./model.ts";

/**
 * Computes something that may need data in files beside the model: again and again, until all that it asked for is
 * there. The computation itself stays synchronous and sees a model whose data is at hand or not.
 *
 * @throws BatchNormError `invalid-file`, and what the computation throws.
 */
export async function complete<Result>({ external }: OnnxModel, compute: () => Result): Promise<Result> {
  for (;;) {
    const result = compute();
    if (!(await external.load())) return result;
  }
}

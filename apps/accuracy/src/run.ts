import type { AnyBackend } from "@batchnorm/conformance";
import { maskShape } from "@batchnorm/spec";
import { type AccuracyCase, EPSILON } from "./cases.ts";
import type { Results } from "./errors.ts";

/** What a backend gives for a case. */
export async function resultsOf(backend: AnyBackend, { x, dy, mask, gamma, beta, shape, axis }: AccuracyCase): Promise<Results> {
  const channels = gamma.length;
  const statistics = { movingMean: new Float32Array(channels), movingVariance: new Float32Array(channels).fill(1) };
  const layer = backend.create({ axis, epsilon: EPSILON, momentum: 0 }, { parameters: { gamma, beta }, statistics });
  const tensors = [x, dy].map((data) => backend.upload({ data, shape }));
  const hidden = mask === null ? null : backend.upload({ data: mask, shape: maskShape(shape, axis) });
  const y = await layer.call(tensors[0], { training: true, mask: hidden, gradient: true });
  const { dx, dgamma, dbeta } = await layer.backward(tensors[1]);
  const [yData, dxData, dgammaData, dbetaData] = await Promise.all(
    [y, dx, dgamma, dbeta].map(async (each) => (await backend.download(each)).data),
  );
  const { movingMean, movingVariance } = (await layer.state()).statistics;
  for (const tensor of [...tensors, hidden, y, dx, dgamma, dbeta]) if (tensor !== null) backend.release(tensor);
  await layer.dispose();
  return { y: yData, movingMean, movingVariance, dx: dxData, dgamma: dgammaData, dbeta: dbetaData };
}

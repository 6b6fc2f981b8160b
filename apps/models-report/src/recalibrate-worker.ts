import { readModel } from "@batchnorm/onnx-model";
import { type Feeds, measureShard, type Partial } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-node";
import { resnet18 } from "./resnet18.ts";

/** Measures some of eight shards of 24 batches, and writes their partials to stdout as one list. */
const OF = 8;
const BATCHES = 24;
const SHAPE = [32, 3, 64, 64];
const SIZE = SHAPE.reduce((product, dimension) => product * dimension, 1);

function batch(k: number): Feeds {
  const data = Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i * (k + 1)) + k / BATCHES);
  return { image: new ort.Tensor("float32", data, SHAPE) };
}

const model = readModel(resnet18(16, 64));
const partials: Partial[] = [];
for (const index of process.argv.slice(2).map(Number)) {
  const mine = Array.from({ length: BATCHES }, (_, k) => k).filter((k) => k % OF === index - 1);
  partials.push(
    await measureShard(model, {
      ort,
      sessionOptions: { intraOpNumThreads: 1 },
      batches: function* () {
        for (const k of mine) yield batch(k);
      },
      shard: { index, of: OF, samples: mine.length * SHAPE[0], totalSamples: BATCHES * SHAPE[0], data: "sines" },
    }),
  );
}
process.stdout.write(JSON.stringify(partials));

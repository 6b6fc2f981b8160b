import type { Competitor } from "../competitor.ts";
import { alloc, allocHalf, newOutputs, plainArrays, plainTypeScript, threads } from "./backend-cpu.ts";
import { bareOnnxruntime } from "./bare-onnxruntime.ts";
import { bareTfjs, spelledOutTfjs } from "./bare-tfjs.ts";
import { copy } from "./copy.ts";
import { backendOnnx } from "./onnx-backend.ts";
import { pytorch } from "./pytorch.ts";
import { backendTfjs } from "./tfjs-backend.ts";

export interface CompetitorOptions {
  /** A Python with torch; without one, PyTorch is left out. */
  readonly python?: string;
}

/** Every competitor, in the order of the report. A new one is one line. */
export async function makeCompetitors({ python }: CompetitorOptions): Promise<Competitor[]> {
  const makers: (() => Promise<Competitor>)[] = [
    copy,
    plainTypeScript,
    plainArrays,
    newOutputs,
    alloc,
    () => allocHalf("float16"),
    () => allocHalf("bfloat16"),
    threads,
    bareOnnxruntime,
    backendOnnx,
    () => bareTfjs("wasm"),
    spelledOutTfjs,
    () => bareTfjs("cpu"),
    () => backendTfjs("wasm"),
    () => backendTfjs("cpu"),
    ...(python === undefined ? [] : [() => pytorch(python)]),
  ];
  const competitors: Competitor[] = [];
  for (const make of makers) competitors.push(await make());
  return competitors;
}

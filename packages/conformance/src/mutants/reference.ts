import {
  type Backend,
  type BatchNormConfig,
  BatchNormLayer,
  type BatchNormState,
  type ForwardPlan,
  type ForwardResult,
  type Gradients,
  type HostTensor,
  type Layer,
  type LayerInit,
  type LayerRuntime,
  resolveLayer,
  type StateInput,
  type Supports,
  type Timed,
  type Timing,
} from "@batchnorm/spec";
import type { AnyBackend } from "../checks/check.ts";
import { type Arithmetic, CORRECT } from "./arithmetic.ts";
import { ReferenceKernel, type Saved } from "./reference-kernel.ts";

/** What the reference can do, which is everything. */
export const SUPPORTS: Supports = {
  maxRank: null,
  dtypes: ["float32"],
  training: true,
  gradients: true,
  masks: true,
  out: true,
  varianceEstimators: ["population", "sample"],
  nonFinite: ["propagate", "reject"],
  accumulation: "float64",
  subnormals: "preserved",
};

/**
 * A plain layer. With the correct arithmetic it passes the whole suite, at once or with promises, and so what a mutant fails is its
 * fault. The kernel can be handed in, by a mutant that reaches past the layer's order.
 */
export class ReferenceLayer<When extends Timing> extends BatchNormLayer<HostTensor, Saved, When> {
  readonly #kernel: ReferenceKernel;
  readonly #timing: Timing;

  constructor(timing: When, supports: Supports, init: LayerInit, kernel: ReferenceKernel) {
    super(runtime(timing, supports), init);
    this.#kernel = kernel;
    this.#timing = timing;
  }

  protected override doInfer(x: HostTensor, plan: ForwardPlan<HostTensor>): Timed<When, ForwardResult<HostTensor, Saved>> {
    return this.#answer(() => this.#kernel.infer(x, plan));
  }

  protected override doTrain(x: HostTensor, plan: ForwardPlan<HostTensor>): Timed<When, ForwardResult<HostTensor, Saved>> {
    return this.#answer(() => this.#kernel.train(x, plan));
  }

  protected override doBackward(
    dy: HostTensor,
    saved: Saved,
    plan: ForwardPlan<HostTensor>,
    out: HostTensor | null,
  ): Timed<When, Gradients<HostTensor>> {
    return this.#answer(() => this.#kernel.backward(dy, saved, plan, out));
  }

  protected override doState(): Timed<When, BatchNormState> {
    return this.#answer(() => this.#kernel.state());
  }

  protected override doSetState(...update: Parameters<ReferenceKernel["setState"]>): Timed<When, void> {
    return this.#answer(() => this.#kernel.setState(...update));
  }

  protected override doDispose(): Timed<When, void> {
    return this.#answer(() => undefined);
  }

  #answer<Value>(work: () => Value): Timed<When, Value> {
    return (this.#timing === "sync" ? work() : Promise.resolve().then(work)) as Timed<When, Value>;
  }
}

function runtime<When extends Timing>(timing: When, supports: Supports): LayerRuntime<HostTensor, When> {
  return {
    timing,
    supports,
    describe: ({ data, shape }) => ({ shape, dtype: data instanceof Uint8Array ? "bool" : "float32", length: data.length }),
    overlaps: (a, b) => a.data === b.data,
  };
}

const TENSORS: Pick<Backend<HostTensor, "sync", "sync">, "upload" | "download" | "release"> = {
  upload: ({ data, shape }) => ({ data: data.slice(), shape: [...shape] }),
  download: ({ data, shape }) => ({ data: data.slice(), shape: [...shape] }),
  release: () => {},
};

/** A synchronous backend of such layers. */
export function referenceBackend(
  name: string,
  faults: Partial<Arithmetic> = {},
  supports: Supports = SUPPORTS,
): Backend<HostTensor, "sync", "sync"> {
  const create: Backend<HostTensor, "sync", "sync">["create"] = (config, state) => {
    const init = resolveLayer(supports, config, state);
    return new ReferenceLayer("sync", supports, init, new ReferenceKernel(init, { ...CORRECT, ...faults }));
  };
  return { specVersion: 1, name, supports, create, ...TENSORS };
}

/** An asynchronous one; `change` gets every layer, and the kernel under it. */
export function asynchronousBackend(
  name: string,
  change: (layer: ReferenceLayer<"async">, kernel: ReferenceKernel) => Layer<HostTensor, "async", "async"> = (layer) => layer,
): AnyBackend {
  const create = (config: Partial<BatchNormConfig>, state: StateInput): Layer<HostTensor, "async", "async"> => {
    const init = resolveLayer(SUPPORTS, config, state);
    const kernel = new ReferenceKernel(init, CORRECT);
    return change(new ReferenceLayer("async", SUPPORTS, init, kernel), kernel);
  };
  return { specVersion: 1, name, supports: SUPPORTS, create, ...TENSORS };
}

import {
  BatchNormError,
  BatchNormLayer,
  type BatchNormState,
  elementsPerChannel,
  type ForwardPlan,
  type ForwardResult,
  type Gradients,
  type LayerInit,
  type LayerRuntime,
  type Statistics,
  sizeOf,
} from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import { type Arrangement, arrange, arrangeForOperator, arrangeForSums } from "./arrangement.ts";
import type { Device } from "./device.ts";
import { reportFailure } from "./failure.ts";
import type { Through } from "./graph/backward-graph.ts";
import { scalarsOf } from "./graph/inputs.ts";
import { backwardSource, inferenceSource, type Request, trainingSource } from "./graph-sources.ts";
import { findNonFinite } from "./non-finite.ts";
import type { OrtRuntime } from "./runtime.ts";
import { HeldSessions, type Sessions, type Tensors } from "./sessions.ts";
import { StateTensors } from "./state-tensors.ts";
import { hostTensor, isOnGpu, reshaped, viewOf, zeros } from "./tensors.ts";

/** What a layer shares with the others of its backend. */
export interface Surroundings {
  readonly ort: OrtRuntime;
  readonly device: Device;
  readonly sessions: Sessions;
}

/** What a forward pass keeps for its backward pass. */
export interface Saved {
  /** 'moving' reads the layer's statistics, which cannot change while the pass is kept; 'empty' is a pass over no elements. */
  readonly through: Through | "frozen" | "empty";
  /** What the backward graph is given besides dy and what the layer itself has. */
  readonly feeds: Tensors;
  /** Those of the feeds that nobody else owns. */
  readonly owned: readonly Tensor[];
}

/**
 * The contract on ONNX Runtime. Parameters and statistics are float32 tensors of the runtime, and the arithmetic is that of its
 * operators, with float32 sums.
 *
 * x, y, dy and the gradients are `ort.Tensor`. What comes in on a GPU (`gpu-buffer`) goes out there, what comes in on the host goes
 * out on the host. `call` keeps x by reference for `backward`, so x must not be disposed or written to in between.
 */
export class OnnxLayer extends BatchNormLayer<Tensor, Saved, "async"> {
  readonly #ort: OrtRuntime;
  readonly #device: Device;
  readonly #sessions: HeldSessions;
  readonly #state: StateTensors;

  constructor(runtime: LayerRuntime<Tensor, "async">, { ort, device, sessions }: Surroundings, init: LayerInit) {
    super(runtime, init);
    this.#ort = ort;
    this.#device = device;
    this.#sessions = new HeldSessions(sessions);
    this.#state = new StateTensors(ort, init.state);
  }

  protected override doInfer(x: Tensor, plan: ForwardPlan<Tensor>): Promise<ForwardResult<Tensor, Saved>> {
    return this.#report("inference", plan.shape, async () => {
      if (sizeOf(plan.shape) === 0) {
        // The runtime is not asked: its operators are not of one mind about tensors without elements.
        return { y: zeros(this.#ort, plan.shape), saved: plan.gradient ? { through: "empty", feeds: {}, owned: [] } : null };
      }
      this.#refuseNonFinite(x, plan);
      // The operator is slow on channels last on the CPU, and only there: docs/decisions/2026-11-22-onnx-lowering.md.
      const arrangement = this.#device.onHost ? arrange(plan.view, this.#device) : arrangeForOperator(plan.view, this.#device);
      const { parameters, statistics } = this.#state;
      const feeds = { ...this.#arranged({ x }, arrangement), parameters, statistics };
      const { y } = await this.#sessions.run(inferenceSource(this.#request(arrangement, x)), feeds, ["y"]);
      const saved = (): Saved => {
        if (!plan.mode.parameterGradients) return { through: "frozen", feeds: {}, owned: [] };
        return { through: "moving", feeds: this.#arranged({ x }, arrangeForSums(plan.view, this.#device)), owned: [] };
      };
      return { y: reshaped(this.#ort, y, plan.shape), saved: plan.gradient ? saved() : null };
    });
  }

  protected override doTrain(x: Tensor, plan: ForwardPlan<Tensor>): Promise<ForwardResult<Tensor, Saved>> {
    return this.#report("training", plan.shape, async () => {
      this.#refuseNonFinite(x, plan);
      const arrangement = arrangeForSums(plan.view, this.#device);
      const { parameters, statistics } = this.#state;
      const { mask } = plan;
      const given = this.#arranged({ x, ...(mask && { mask }) }, arrangement);
      const feeds = { ...given, parameters, statistics, scalars: this.#scalars(plan) };
      const kept = plan.gradient ? ["normalizer_out", ...(mask === null ? [] : ["visible_out"])] : [];
      const source = trainingSource(this.#request(arrangement, x), mask !== null);
      const outputs = await this.#sessions.run(source, feeds, ["y", "statistics_out", ...kept]);
      const saved = (): Saved => {
        const { normalizer_out: normalizer, visible_out: visible } = outputs;
        if (mask === null) return { through: "batch", feeds: { ...given, normalizer }, owned: [normalizer] };
        return { through: "visible", feeds: { ...given, normalizer, visible }, owned: [normalizer, visible] };
      };
      const result = { y: reshaped(this.#ort, outputs.y, plan.shape), saved: plan.gradient ? saved() : null };
      this.#state.replaceStatistics(outputs.statistics_out);
      return result;
    });
  }

  protected override doBackward(dy: Tensor, saved: Saved, plan: ForwardPlan<Tensor>): Promise<Gradients<Tensor>> {
    return this.#report("backward", plan.shape, async () => {
      const { through } = saved;
      const { scale, center } = this.config;
      const learned = (gradient: Tensor, present: boolean): Tensor | null => (present && plan.mode.parameterGradients ? gradient : null);
      if (through === "empty") {
        const none = (): Tensor => zeros(this.#ort, [this.channels]);
        return { dx: zeros(this.#ort, plan.shape), dgamma: learned(none(), scale), dbeta: learned(none(), center) };
      }
      const arrangement = arrangeForSums(plan.view, this.#device);
      const { parameters, statistics } = this.#state;
      const feeds = {
        ...this.#arranged({ dy }, arrangement),
        ...saved.feeds,
        parameters,
        scalars: this.#scalars(plan),
        ...((through === "moving" || through === "frozen") && { statistics }),
      };
      const source = backwardSource(this.#request(arrangement, dy), through);
      const { dx, dgamma, dbeta } = await this.#sessions.run(source, feeds, through === "frozen" ? ["dx"] : ["dx", "dgamma", "dbeta"]);
      return { dx: reshaped(this.#ort, dx, plan.shape), dgamma: learned(dgamma, scale), dbeta: learned(dbeta, center) };
    });
  }

  protected override doState(): Promise<BatchNormState> {
    return this.#report("state", null, () => this.#state.read());
  }

  protected override doSetState(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): Promise<void> {
    return this.#report("setState", null, () => this.#state.write(parameters, statistics));
  }

  protected override doReleaseSaved({ owned }: Saved): void {
    for (const tensor of owned) tensor.dispose();
  }

  protected override doDispose(): Promise<void> {
    return this.#report("dispose", null, async () => {
      this.#state.dispose();
      await this.#sessions.release();
    });
  }

  #request({ layout }: Arrangement, tensor: Tensor): Request {
    return { device: this.#device, layout, onGpu: isOnGpu(tensor), config: this.config };
  }

  #scalars({ view }: ForwardPlan<Tensor>): Tensor {
    const numbers = scalarsOf(this.config, elementsPerChannel(view));
    return hostTensor(this.#ort, numbers, [numbers.length]);
  }

  /** The tensors as the layout wants them, and what it wants besides. */
  #arranged({ mask, ...elements }: Tensors, { layout, shape, maskShape, integers }: Arrangement): Tensors {
    const views = Object.entries(elements).map(([name, tensor]) => [name, viewOf(this.#ort, tensor, shape)]);
    if (mask !== undefined) views.push(["mask", viewOf(this.#ort, mask, maskShape, layout.maskType)]);
    const vectors = Object.entries(integers).map(([name, numbers]) => [
      name,
      new this.#ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [numbers.length]),
    ]);
    return Object.fromEntries([...views, ...vectors]);
  }

  #report<Value>(action: string, shape: readonly number[] | null, task: () => Promise<Value>): Promise<Value> {
    const occasion = () => ({ backend: `onnx/${this.#device.name}`, action, config: this.config, channels: this.channels, shape });
    return reportFailure(occasion, task);
  }

  #refuseNonFinite(x: Tensor, { view }: ForwardPlan<Tensor>): void {
    if (this.config.nonFinite !== "reject") return;
    const found = findNonFinite(x.data as Float32Array, view);
    if (found === null) return;
    throw new BatchNormError(
      "non-finite",
      `x is not finite in channel ${found.channel}`,
      found.value,
      "finite numbers, since nonFinite is 'reject'",
    );
  }
}

import type {
  Backend,
  BackwardOptions,
  BatchNormConfig,
  CallOptions,
  FloatTensor,
  Gradients,
  HostTensor,
  Layer,
  MaskTensor,
  StateInput,
} from "@batchnorm/spec";
import type { HalfData, HalfDType } from "@batchnorm/spec/half";

/** A tensor of half precision as it comes out: in the kind of array that went in, with its dtype. */
export interface HalfTensorOf<Data extends HalfData> extends HostTensor<Data> {
  readonly dtype: HalfDType;
}

/** What `backward` gives for a dy of half precision. */
export interface HalfGradients<Data extends HalfData> extends Omit<Gradients<FloatTensor>, "dx"> {
  readonly dx: HalfTensorOf<Data>;
}

/** A layer on the CPU: it is synchronous, and a mask is one of bytes. y and dx have the dtype of x, dgamma and dbeta are float32. */
export interface CpuLayer extends Layer<FloatTensor, "sync", MaskTensor> {
  call(x: FloatTensor, options?: CallOptions<FloatTensor, MaskTensor>): FloatTensor;
  call<Data extends HalfData>(x: HostTensor<Data>, options?: CallOptions<HostTensor<Data>, MaskTensor>): HalfTensorOf<Data>;
  backward(dy: FloatTensor, options?: BackwardOptions<FloatTensor>): Gradients<FloatTensor>;
  backward<Data extends HalfData>(dy: HostTensor<Data>, options?: BackwardOptions<HostTensor<Data>>): HalfGradients<Data>;
}

/** What every entry of this package makes. Tensors are typed arrays: float32, or half precision. */
export interface HostBackend extends Backend<FloatTensor, "sync", MaskTensor> {
  create(config?: Partial<BatchNormConfig>, state?: StateInput | number): CpuLayer;
  upload(tensor: HostTensor<Uint8Array>): MaskTensor;
  upload<Data extends HalfData>(tensor: HostTensor<Data>): HalfTensorOf<Data>;
  upload(tensor: HostTensor): FloatTensor;
  download(tensor: FloatTensor): FloatTensor;
  download<Data extends HalfData>(tensor: HostTensor<Data>): HalfTensorOf<Data>;
  release(tensor: HostTensor): void;
}

import { LayersModel, type layers } from "@tensorflow/tfjs-layers";

type Layer = InstanceType<typeof layers.Layer>;

/** On the setter that `followContainers` made, whichever copy of this package it was. */
const MARKER = Symbol.for("@batchnorm/follow-containers");

/** A model, a nested model or a wrapper such as TimeDistributed has layers of its own. */
type Holder = Layer & { readonly layers?: readonly Layer[]; readonly layer?: Layer };

/** Calls `visit` for every layer of a model, those of models and wrappers inside it included, once for each place that it has. */
export function visitLayers(container: Layer, visit: (layer: Layer, frozen: boolean) => void, frozen = false): void {
  const { layers, layer, trainable } = container as Holder;
  const inside = frozen || !trainable;
  for (const each of layers ?? (layer ? [layer] : [])) {
    visit(each, inside);
    visitLayers(each, visit, inside);
  }
}

/**
 * Makes `model.trainable = false`, and true again, reach the layers of this package inside the model, however deep, as it does in
 * Keras. tfjs 4.22 marks the weights of the model's direct layers, tells no layer, and stops at nested models; a batch
 * normalization must know that it is frozen, since it then normalizes otherwise.
 *
 * Only a change counts: when a Sequential is built, tfjs sets the value that it has already, which would unfreeze what the
 * user froze one by one.
 */
export function followContainers(): void {
  const prototype = ownerOfTrainable();
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "trainable");
  if (!descriptor?.get || !descriptor.set || MARKER in descriptor.set) return;
  const { get, set } = descriptor;
  const follow = function (this: Layer, trainable: boolean): void {
    const changed = get.call(this) !== trainable;
    set.call(this, trainable);
    if (!changed) return;
    visitLayers(this, (layer) => {
      if (followsContainers(layer)) layer.trainable = trainable;
    });
  };
  Object.defineProperty(prototype, "trainable", { ...descriptor, set: Object.assign(follow, { [MARKER]: true }) });
}

/** Whether this is a layer of this package, of any copy of it. */
export function followsContainers(layer: object): boolean {
  return "followsContainers" in layer;
}

/** The prototype that gives models their `trainable`: Container, which tfjs-layers does not export. */
function ownerOfTrainable(): object {
  let prototype: object = LayersModel.prototype;
  while (!Object.hasOwn(prototype, "trainable")) prototype = Object.getPrototypeOf(prototype);
  return prototype;
}

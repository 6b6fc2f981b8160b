import { fileURLToPath } from "node:url";
import type { Check } from "@batchnorm/conformance";
import { execBackend } from "@batchnorm/conformance/node";
import type { Peer } from "../peer.ts";

/** A peer in Python, spoken to by the exec protocol of the suite. */
export interface PythonPeer {
  readonly name: string;
  /** The modules that a Python must be able to import to run it. */
  readonly modules: readonly string[];
  peer(python: string): Peer;
}

const KERAS = fileURLToPath(new URL("../../python/keras_adapter.py", import.meta.url));
const TORCH = fileURLToPath(new URL("../../../../examples/adapter-python/torch_adapter.py", import.meta.url));

const KERAS_CLAIMS = [
  "The layer is called by itself, with `layer(x, training=..., mask=...)`, in eager mode, and frozen with `layer.trainable = False`.",
];

const MASK_CLAIM = "Its mask fits channels-last layers only: with one, x of another axis is transposed there and back.";

export const PYTHON_PEERS: readonly PythonPeer[] = [
  ...(["tensorflow", "jax", "torch"] as const).map((backend) => ({
    name: `keras/${backend}`,
    modules: ["keras", backend],
    peer: (python: string) => ({
      name: `keras/${backend}`,
      title: `\`BatchNormalization\` of Keras 3 on ${{ tensorflow: "TensorFlow", jax: "JAX", torch: "PyTorch" }[backend]}`,
      packages: ["keras", backend],
      runtime: "Python" as const,
      claims: [...KERAS_CLAIMS, MASK_CLAIM],
      open: () => execBackend(["env", `KERAS_BACKEND=${backend}`, python, KERAS, "keras"]),
    }),
  })),
  {
    name: "tf-keras",
    modules: ["tf_keras", "tensorflow"],
    peer: (python) => ({
      name: "tf-keras",
      title: "`BatchNormalization` of tf-keras (Keras 2)",
      packages: ["tf_keras", "tensorflow"],
      runtime: "Python",
      claims: [...KERAS_CLAIMS, "Masks are not asked for."],
      declines: declinesFused,
      open: () => execBackend([python, KERAS, "tf_keras"]),
    }),
  },
  {
    name: "pytorch",
    modules: ["torch"],
    peer: (python) => ({
      name: "pytorch",
      title: "`BatchNorm` of PyTorch",
      packages: ["torch"],
      runtime: "Python",
      claims: [
        "Its channel axis is 1: x of another axis is transposed there and back. Its momentum is the weight of the new value.",
        "Its running variance is that of the sample; where the population's is asked for, the adapter computes it back from that.",
        "A frozen layer is one with `eval()` and `requires_grad_(False)`, as its documentation says. It says itself that it does not train on one element a channel. It has no masks.",
      ],
      open: () => execBackend([python, TORCH]),
    }),
  },
];

/** Its fused kernel takes the sample variance into the moving one, at some ranks and axes: clause 7.3 has these as 'sample'. */
function declinesFused({ id, case: each }: Check): string | null {
  if (each === undefined) return id.startsWith("property/") || id.includes("rank") ? "which estimator it has depends on the rank" : null;
  const { config, steps } = each;
  const fused = steps.some(({ shape, batch }) => {
    const axis = config.axis < 0 ? config.axis + shape.length : config.axis;
    return batch !== null && ((shape.length === 4 && (axis === 1 || axis === 3)) || (shape.length === 5 && (axis === 1 || axis === 4)));
  });
  return fused ? "its fused kernel takes the sample variance here" : null;
}

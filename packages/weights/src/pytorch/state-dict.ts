import { type BatchNormConfig, resolveConfig, resolveState } from "@batchnorm/spec";
import { invalidFile } from "../errors.ts";
import { makeLayer, type WeightLayer } from "../layer.ts";
import { readVector, type StoredTensor, typeNames } from "../tensor.ts";

const STATISTICS = ["running_mean", "running_var"];
const MEMBERS = ["weight", "bias", ...STATISTICS];

/**
 * The modules of a `state_dict` that have running statistics, in its order. A module's config is not in it: epsilon and momentum are PyTorch's
 * defaults here, axis and estimator are what PyTorch always has. (An InstanceNorm that tracks its statistics has the same names.)
 *
 * Source: PyTorch 2.13, `torch.nn.modules.batchnorm._NormBase`.
 */
export function layersOfStateDict(tensors: ReadonlyMap<string, StoredTensor>): WeightLayer[] {
  const modules = new Map<string, Map<string, StoredTensor>>();
  for (const [key, tensor] of tensors) {
    const dot = key.lastIndexOf(".");
    const member = key.slice(dot + 1);
    if (!MEMBERS.includes(member)) continue;
    const path = dot < 0 ? "" : key.slice(0, dot);
    const module = modules.get(path) ?? new Map<string, StoredTensor>();
    modules.set(path, module.set(member, tensor));
  }
  return [...modules].filter(([, module]) => STATISTICS.some((name) => module.has(name))).map(([path, module]) => layerOf(path, module));
}

function layerOf(path: string, module: ReadonlyMap<string, StoredTensor>): WeightLayer {
  return makeLayer(
    { name: path, path, framework: "pytorch", recognizedBy: "name", storedAs: typeNames(module.values()) },
    () => ({ config: configOf(module), assumed: ["momentum", "epsilon", "trainable"] }),
    (config) => {
      const read = (name: string): Float32Array | null => {
        const tensor = module.get(name);
        return tensor === undefined ? null : readVector(tensor);
      };
      const statistic = (name: string): Float32Array => {
        const values = read(name);
        if (values === null) throw invalidFile(`${name} of the layer is missing`, [...module.keys()], "running_mean and running_var");
        return values;
      };
      return resolveState(config, {
        parameters: { gamma: read("weight"), beta: read("bias") },
        statistics: { movingMean: statistic("running_mean"), movingVariance: statistic("running_var") },
      });
    },
  );
}

/** momentum 0.1 there is 0.9 here. */
function configOf(module: ReadonlyMap<string, unknown>): BatchNormConfig {
  const present = { scale: module.has("weight"), center: module.has("bias") };
  return resolveConfig({ axis: 1, momentum: 0.9, epsilon: 1e-5, varianceEstimator: "sample", ...present });
}

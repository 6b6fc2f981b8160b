import { tensor } from "deepbox/ndarray";
import { BatchNorm1d } from "deepbox/nn";

const layer = new BatchNorm1d(1, { momentum: 1 });
const x = [1e6, 1e6 + 0.125, 1e6 + 0.25, 1e6 + 0.3125];
layer.forward(
  tensor(
    x.map((value) => [value]),
    { dtype: "float32" },
  ),
);
const { running_mean: mean, running_var: variance } = layer.stateDict().buffers;
console.log("mean", mean.data[0], "variance", variance.data[0]);
console.log("expected: 1000000.171875 and 0.01921");

import { init, nn, numpy as np } from "@jax-js/jax";

await init("wasm");
const x = np.array([[1e4], [1e4 + 1], [1e4 + 2]], { device: "wasm" });
console.log("variance by np.var_:", (await np.var_(x.ref, 0).data())[0]);
console.log("nn.standardize:", await nn.standardize(x, 0).data());
console.log("expected about -1.22, 0, 1.22, since the variance is 0.667");

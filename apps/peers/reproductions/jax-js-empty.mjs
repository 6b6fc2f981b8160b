import { init, numpy as np } from "@jax-js/jax";

await init("wasm");
for (const [what, make] of [
  ["np.zeros([0])", () => np.zeros([0], { device: "wasm" })],
  ["np.array(new Float32Array(0))", () => np.array(new Float32Array(0), { device: "wasm" })],
  ["np.array([])", () => np.array([], { device: "wasm" })],
]) {
  try {
    console.log(what, (await make().data()).length, "elements");
  } catch (error) {
    console.log(what, `${error.name}: ${error.message}`);
  }
}

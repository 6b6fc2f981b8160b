import { type ConformanceConfig, defineConfig } from "@batchnorm/conformance";
import { referenceBackend } from "@batchnorm/reference";

const sound = referenceBackend("sound");

/** A sound backend but for what happens when a rule of the contract makes a layer: its state is known by its gamma. */
function inRules(name: string, happens: () => void): () => typeof sound {
  const create: typeof sound.create = (config, state) => {
    if (typeof state === "object" && state.parameters.gamma?.[0] === 1.5) happens();
    return sound.create(config, state);
  };
  return () => ({ ...sound, name, create });
}

/** A config with faults that no check can see. The last backend is sound. */
const config: ConformanceConfig = defineConfig({
  backends: [
    () => {
      console.error("the console shows this");
      setTimeout(() => {
        throw new Error("nobody catches this");
      });
      return new Promise((resolve) => setTimeout(resolve, 50, { ...sound, name: "noisy" }));
    },
    () => Promise.reject(new Error("there is no such device")),
    inRules("hanging", () => {
      for (;;);
    }),
    inRules("leaving", () => {
      location.href = "about:blank";
    }),
    inRules("rejecting", () => {
      Promise.reject(new Error("nobody waits for this"));
    }),
    () => sound,
  ],
});

export default config;

import { createBackend } from "@batchnorm/backend-cpu";
import { type ConformanceConfig, defineConfig } from "@batchnorm/conformance";

/** A config with faults that no check can see. The last backend is sound. */
const config: ConformanceConfig = defineConfig({
  backends: [
    () => {
      console.error("the console shows this");
      setTimeout(() => {
        throw new Error("nobody catches this");
      });
      return new Promise((resolve) => setTimeout(resolve, 50, { ...createBackend(), name: "noisy" }));
    },
    () => Promise.reject(new Error("there is no such device")),
    () => ({
      ...createBackend(),
      name: "hanging",
      create: () => {
        for (;;);
      },
    }),
    () => createBackend(),
  ],
});

export default config;

/** What this file uses of WebGPU, whose types are not among TypeScript's own. */
interface Adapter {
  requestDevice(...options: unknown[]): Promise<{ readonly lost: Promise<{ readonly reason: string; readonly message: string }> }>;
}

/**
 * Tells when a WebGPU device of this worker is lost, whichever runtime has asked for it. A device that a runtime destroys itself is not
 * lost.
 */
export function watchDevices(lost: (message: string) => void): void {
  const { GPUAdapter } = globalThis as unknown as { GPUAdapter?: { readonly prototype: Adapter } };
  if (GPUAdapter === undefined) return;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function request(this: Adapter, ...options) {
    const device = await requestDevice.apply(this, options);
    void device.lost.then(({ reason, message }) => {
      if (reason !== "destroyed") lost(message);
    });
    return device;
  };
}

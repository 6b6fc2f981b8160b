/** The config that the command line names: see `configModule` in serve.ts. */
declare module "virtual:conformance-config" {
  const exported: unknown;
  export default exported;
}

/** vite's address of a file that the page fetches, such as a runtime's .wasm. */
declare module "*?url" {
  const address: string;
  export default address;
}

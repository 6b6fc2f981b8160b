/** The config that the command line names: see `configModule` in serve.ts. */
declare module "virtual:conformance-config" {
  const exported: unknown;
  export default exported;
}

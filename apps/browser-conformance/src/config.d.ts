/** The config that the command line names: see the aliases in run-browser.ts. */
declare module "virtual:conformance-config" {
  const exported: unknown;
  export default exported;
}

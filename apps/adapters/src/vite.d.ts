/** vite's address of a file that the page fetches, such as a runtime's .wasm. */
declare module "*?url" {
  const address: string;
  export default address;
}

// The parts of the page, for other pages of this repository. The published package has the built page only.
export { Matrices, type MatricesProps } from "./matrices.tsx";
export { plural, seconds } from "./words.ts";

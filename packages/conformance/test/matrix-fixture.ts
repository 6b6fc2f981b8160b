import { type Matrix, type MatrixRuntime, mergeMatrices, toMatrix } from "../src/matrix/index.ts";
import { REPORT } from "./report.ts";

export const STARTED = "2026-11-26T17:00:00.000Z";

export const NODE: MatrixRuntime = {
  id: "node-20",
  name: "Node 20",
  version: "20.20.2",
  platform: "linux x64",
  status: "ran",
  howToGet: "npx -y node@20",
};

export const FIREFOX: MatrixRuntime = {
  id: "firefox",
  name: "Firefox",
  version: null,
  platform: null,
  status: "not-run",
  reason: "there is no Firefox",
  howToGet: "apt-get install firefox-esr",
};

const onNode: Matrix = toMatrix(REPORT, NODE, STARTED);

/** A result with one of everything: a runtime that ran, one that did not, a backend that is wrong and one that is right. */
export const MATRIX: Matrix = mergeMatrices([
  onNode,
  {
    ...onNode,
    runtimes: [FIREFOX],
    cells: [{ backend: "right/two", runtime: "firefox", status: "not-run", reason: "there is no Firefox" }],
  },
]);

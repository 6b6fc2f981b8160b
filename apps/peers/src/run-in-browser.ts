import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runBrowser } from "@batchnorm/browser-conformance/run-browser";
import { readVectors, VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import type { Supports } from "@batchnorm/spec";
import { peerChecks, RUNS, verdictOf } from "./judge.ts";
import { judgedChecks } from "./judged.ts";
import { onnxWebgpu as peer } from "./peers/onnx-webgpu.ts";
import type { PeerResult } from "./results.ts";
import { versionsOf } from "./versions.ts";

// `node run-in-browser.ts FILE`: judges the peer that needs a browser, in Chromium.

const [file] = process.argv.slice(2);
const vectors = await readVectors();
const checks = peerChecks(vectors);
const { results } = await runBrowser({
  config: fileURLToPath(new URL("peers/onnx-webgpu.config.ts", import.meta.url)),
  directory: VECTORS_DIRECTORY,
  vectors,
  checks: checks.map(({ id }) => id),
  properties: RUNS,
  headed: false,
});
const [{ cases, supports, problems }] = results;
if (supports === null || problems.length > 0) throw new Error(`The peer could not be run: ${problems.join(" ")}`);
const judged = judgedChecks(checks, supports as Supports, peer);
const verdict = verdictOf(
  cases.filter(({ status }) => status !== "skipped"),
  judged,
);
const { name, title, claims } = peer;
const { versions, runtime } = versionsOf(peer, undefined);
const result: PeerResult = { name, title, runtime, versions, claims, ...verdict };
writeFileSync(file, JSON.stringify(result));

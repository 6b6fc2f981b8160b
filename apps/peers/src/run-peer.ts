import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import type { CaseResult } from "@batchnorm/conformance";
import { readVectors } from "@batchnorm/conformance/node";
import { judge } from "./judge.ts";
import { findPeer } from "./peers/all.ts";
import type { PeerResult } from "./results.ts";
import { versionsOf } from "./versions.ts";

// `node run-peer.ts NAME FILE [PYTHON]`: judges one peer and writes its result to a file. What is known after each check is in
// FILE.partial: another process may go on from there.

const [name, file, python] = process.argv.slice(2);
const partial = `${file}.partial`;
const lines = existsSync(partial) ? readFileSync(partial, "utf8").split("\n").filter(Boolean) : [];
const known = new Map(lines.map((line) => JSON.parse(line) as CaseResult).map((result) => [result.id, result]));
const peer = await findPeer(name, python);
const backend = await peer.open();
const verdict = await judge(backend, peer, await readVectors(), {
  known,
  onResult: (result) => appendFileSync(partial, `${JSON.stringify(result)}\n`),
});
const { title, claims } = peer;
const { versions, runtime } = versionsOf(peer, python);
const result: PeerResult = { name, title, runtime, versions, claims, ...verdict };
writeFileSync(file, JSON.stringify(result));
// A runtime's threads or an adapter's process may still be there.
process.exit(0);

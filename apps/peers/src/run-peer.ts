import { writeFileSync } from "node:fs";
import { readVectors } from "@batchnorm/conformance/node";
import { judge } from "./judge.ts";
import { findPeer } from "./peers/all.ts";
import type { PeerResult } from "./results.ts";
import { versionsOf } from "./versions.ts";

// `node run-peer.ts NAME FILE [PYTHON]`: judges one peer and writes its result to a file. The last line of stderr is the check that runs.

const [name, file, python] = process.argv.slice(2);
const peer = await findPeer(name, python);
const backend = await peer.open();
const verdict = await judge(backend, peer, await readVectors(), (id) => process.stderr.write(`${id}\n`));
const { title, claims } = peer;
const { versions, runtime } = versionsOf(peer, python);
const result: PeerResult = { name, title, runtime, versions, claims, ...verdict };
writeFileSync(file, JSON.stringify(result));
// A runtime's threads or an adapter's process may still be there.
process.exit(0);

import type { Peer } from "../peer.ts";
import { JAVASCRIPT_PEERS } from "./javascript.ts";
import { PYTHON_PEERS } from "./python.ts";

/** The one that needs a browser. */
export const BROWSER_PEER = "onnx-operator/webgpu";

/** All of them, in the order of the report. */
export const PEER_NAMES: readonly string[] = [
  ...JAVASCRIPT_PEERS.map(({ name }) => name),
  BROWSER_PEER,
  ...PYTHON_PEERS.map(({ name }) => name),
];

/** @throws RangeError for a name that no peer has. */
export async function findPeer(name: string, python: string | undefined): Promise<Peer> {
  const source = JAVASCRIPT_PEERS.find((each) => each.name === name);
  if (source !== undefined) return source.load();
  const inPython = PYTHON_PEERS.find((each) => each.name === name);
  if (inPython === undefined || python === undefined) throw new RangeError(`There is no peer ${name} here.`);
  return inPython.peer(python);
}

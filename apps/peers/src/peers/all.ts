import type { Peer } from "../peer.ts";
import { JAVASCRIPT_PEERS } from "./javascript.ts";
import { PYTHON_PEERS } from "./python.ts";

/** @throws RangeError for a name that no peer has. */
export async function findPeer(name: string, python: string | undefined): Promise<Peer> {
  const source = JAVASCRIPT_PEERS.find((each) => each.name === name);
  if (source !== undefined) return source.load();
  const inPython = PYTHON_PEERS.find((each) => each.name === name);
  if (inPython === undefined || python === undefined) throw new RangeError(`There is no peer ${name} here.`);
  return inPython.peer(python);
}

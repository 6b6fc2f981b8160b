import { runCheck } from "@batchnorm/conformance";
import { readVectors } from "@batchnorm/conformance/node";
import { peerChecks } from "../src/judge.ts";
import { judgedChecks } from "../src/judged.ts";
import { JAVASCRIPT_PEERS } from "../src/peers/javascript.ts";

export const PLAIN: readonly string[] = ["inference/rank2-axis1-6x3", "training/rank3-axis2-2x3x5"];
export const GRADIENT = "gradient/training-rank3-axis2-2x3x5";

/** What a peer makes of some checks, by id: "passed", why it does not claim it, or the first thing that is wrong. */
export async function judgeSome(name: string, ids: readonly string[]): Promise<Record<string, string>> {
  const peer = await JAVASCRIPT_PEERS.find((each) => each.name === name)!.load();
  const backend = await peer.open();
  const checks = peerChecks(await readVectors()).filter(({ id }) => ids.includes(id));
  const found: Record<string, string> = {};
  for (const { check, declined } of judgedChecks(checks, backend.supports, peer)) {
    found[check.id] = declined ?? (await outcome(backend, check));
  }
  return found;
}

async function outcome(backend: Parameters<typeof runCheck>[0], check: Parameters<typeof runCheck>[1]): Promise<string> {
  const { status, failures } = await runCheck(backend, check);
  return status === "passed" ? status : failures[0].message;
}

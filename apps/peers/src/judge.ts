import {
  type AnyBackend,
  type CaseResult,
  type Check,
  DEFAULT_PROPERTIES,
  type PropertyOptions,
  runCheck,
  suiteChecks,
  type Vectors,
} from "@batchnorm/conformance";
import { checksOfAnyLayer, type JudgedCheck, judgedChecks } from "./judged.ts";
import type { Peer } from "./peer.ts";
import type { FailedCheck, PeerResult } from "./results.ts";

/** Milliseconds for one check: so many that, on a busy machine, only one that hangs is ended. */
const TIMEOUT = 300_000;

/** Fewer random cases than our own backends get: where they fail, each is made smaller many times. */
export const RUNS: PropertyOptions = { ...DEFAULT_PROPERTIES, runs: 20 };

/** The suite as peers are held to it, without its slow checks. */
export function peerChecks(vectors: Vectors): Check[] {
  return checksOfAnyLayer(suiteChecks(vectors, RUNS)).filter(({ slow }) => slow !== true);
}

export type Verdict = Pick<PeerResult, "judged" | "passed" | "failed" | "declined">;

export interface JudgeOptions {
  /** Results of an earlier process that has ended: these checks are not run again. */
  readonly known?: ReadonlyMap<string, CaseResult>;
  readonly onResult?: (result: CaseResult) => void;
}

/** Holds a peer against the checks that it claims, in this process. */
export async function judge(
  backend: AnyBackend,
  peer: Pick<Peer, "declines">,
  vectors: Vectors,
  { known = new Map(), onResult = () => {} }: JudgeOptions = {},
): Promise<Verdict> {
  const checks = judgedChecks(peerChecks(vectors), backend.supports, peer);
  const results: CaseResult[] = [];
  for (const { check } of checks.filter(({ declined }) => declined === null)) {
    const found = known.get(check.id) ?? (await runCheck(backend, check, { timeout: TIMEOUT }));
    if (!known.has(check.id)) onResult(found);
    results.push(found);
  }
  return verdictOf(results, checks);
}

export function verdictOf(all: readonly CaseResult[], checks: readonly JudgedCheck[]): Verdict {
  // A property draws any shape; one that draws too few elements has found nothing.
  const refused = all.filter(({ failures }) => failures.some(({ message }) => message.includes("does not train on so few elements")));
  const results = all.filter((each) => !refused.includes(each));
  const traits = new Map(checks.map(({ check }) => [check.id, check.traits ?? []]));
  const failed = results
    .filter(({ status }) => status !== "passed")
    .map((each) => failedCheck(each, each.traits ?? traits.get(each.id) ?? []));
  const reasons = checks.flatMap(({ declined }) => (declined === null ? [] : [declined.replace(/ \((maxRank|minElements) \d+\)$/, "")]));
  reasons.push(...refused.map(() => "training on 1 elements per channel is not supported"));
  const declined: Record<string, number> = {};
  for (const reason of reasons.sort()) declined[reason] = (declined[reason] ?? 0) + 1;
  return { judged: results.length, passed: results.length - failed.length, failed, declined };
}

function failedCheck({ id, clause, failures, worst, reason }: CaseResult, traits: readonly string[]): FailedCheck {
  const share = worst === null || !Number.isFinite(worst.share) ? null : Number(worst.share.toPrecision(3));
  // The layer's config, which our own errors tell, is in the vector.
  const message = (failures[0]?.message ?? reason ?? "").replace(
    / failed in (\w+), on a layer of .*? and said "/,
    ' failed in $1 and said "',
  );
  return { id, clause, message: shortened(message.split(" Smallest case after")[0]), share, traits };
}

function shortened(text: string): string {
  return text.length <= 240 ? text : `${text.slice(0, 240).trimEnd()}…`;
}

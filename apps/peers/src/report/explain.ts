import { FINDINGS, type Finding } from "../findings.ts";
import type { FailedCheck, PeerResult } from "../results.ts";

/** A finding with the failed checks of one peer that it explains. */
export interface Explained {
  readonly finding: Finding;
  readonly checks: readonly FailedCheck[];
}

/** The findings about a peer that explain a check at least, and the checks that none explains. */
export function explain({ name, failed }: Pick<PeerResult, "name" | "failed">): { explained: Explained[]; rest: FailedCheck[] } {
  const findings = FINDINGS.filter(({ peers }) => peers.includes(name));
  const found = new Map(findings.map((finding) => [finding, [] as FailedCheck[]]));
  const rest: FailedCheck[] = [];
  for (const check of failed) {
    const finding = findings.find((each) => each.explains(check));
    if (finding === undefined) rest.push(check);
    else found.get(finding)!.push(check);
  }
  const explained = [...found].map(([finding, checks]) => ({ finding, checks })).filter(({ checks }) => checks.length > 0);
  return { explained, rest };
}

/** Findings that explain nothing of a peer that they name, such as of a newer version that does it no more. */
export function stale(results: readonly PeerResult[]): string[] {
  return FINDINGS.flatMap((finding) =>
    results
      .filter(({ name }) => finding.peers.includes(name))
      .filter((result) => !explain(result).explained.some((each) => each.finding === finding))
      .map(({ name }) => `${name}: ${finding.does}`),
  );
}

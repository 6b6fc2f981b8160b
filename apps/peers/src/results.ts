/** A check that a peer fails, of those that it claims. */
export interface FailedCheck {
  readonly id: string;
  readonly clause: string;
  /** The first thing that is wrong, in a sentence. */
  readonly message: string;
  /** The largest error as a multiple of its bound; null where it is not finite, or not about a number. */
  readonly share: number | null;
  /** What the failing layer has in common with others, as far as it is one. */
  readonly traits: readonly string[];
}

/** How it went with one peer. Nothing of it depends on when or how fast it ran. */
export interface PeerResult {
  readonly name: string;
  readonly title: string;
  /** Where it ran: `Node 24.21.0`. */
  readonly runtime: string;
  /** The versions that count, by package. */
  readonly versions: Readonly<Record<string, string>>;
  readonly claims: readonly string[];
  readonly judged: number;
  readonly passed: number;
  readonly failed: readonly FailedCheck[];
  /** How many checks it does not claim, by reason. */
  readonly declined: Readonly<Record<string, number>>;
}

/** All that the report is made of: reports/peers.json. */
export interface PeersFile {
  readonly generated: string;
  /** sha256 of the manifest of the golden vectors. */
  readonly vectors: string;
  readonly peers: readonly PeerResult[];
  /** What each reproduction printed, by its file. */
  readonly reproductions: Readonly<Record<string, string>>;
}

import type { PeerResult } from "../results.ts";

/** A line for each peer: the table of the report and of the README. */
export function table(results: readonly PeerResult[], link: string): string {
  const rows = results.map(({ name, title, versions, runtime, judged, passed, failed, declined }) => {
    const count = Object.values(declined).reduce((sum, each) => sum + each, 0);
    const version = Object.entries(versions).map(([each, number]) => `${each} ${number}`);
    return `| [${name}](${link}#${anchor(name)}) | ${title} | ${[...version, runtime].join(", ")} | ${judged} | ${passed} | ${failed.length} | ${count} |`;
  });
  return [
    "| peer | what it is | version, runtime | judged | passed | failed | not claimed |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** As GitHub makes it of a heading that is the name alone. */
export function anchor(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, "")
    .replaceAll(" ", "-");
}

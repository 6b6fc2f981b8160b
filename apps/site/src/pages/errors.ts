import { readFile } from "node:fs/promises";
import type { ErrorCode } from "@batchnorm/spec";
import { provoke } from "../errors/provoke.ts";
import { ERROR_TEXTS } from "../errors/texts.ts";
import { type GeneratedPage, ROOT } from "../place.ts";
import { frontMatter } from "./links.ts";
import { anchorOf } from "./spec.ts";

/** A code with what the table of the spec says of it. */
interface SpecifiedCode {
  readonly code: ErrorCode;
  readonly when: string;
  readonly clauses: readonly string[];
}

/** A page for every code of the spec, and one that lists them. */
export async function errorPages(): Promise<GeneratedPage[]> {
  const codes = await specifiedCodes();
  const list = codes.map(({ code }) => `| [\`${code}\`](/errors/${code}) | ${ERROR_TEXTS[code].means} |`).join("\n");
  const intro = `# Errors

Every refusal is a \`BatchNormError\` with a stable \`code\`, and one sentence: what was wrong, what was received, what was expected. A
refused call changes nothing: neither the state, nor the output buffer, nor the pass that \`backward\` may still belong to.

| code | means |
|---|---|
`;
  const pages = await Promise.all(codes.map(errorPage));
  return [{ path: "errors/index.md", text: `${frontMatter({ aside: false })}${intro}${list}\n` }, ...pages];
}

/** The codes of clause 14.1. */
export async function specifiedCodes(): Promise<SpecifiedCode[]> {
  const spec = await readFile(`${ROOT}/docs/spec.md`, "utf8");
  const table = spec.slice(spec.indexOf("### 14.1"), spec.indexOf("### 14.2"));
  return [...table.matchAll(/^\| `([a-z0-9-]+)` \| (.*) \| ([\d., ]+) \|$/gm)].map(([, code, when, clauses]) => ({
    code: code as ErrorCode,
    when,
    clauses: clauses.split(", "),
  }));
}

/** The names in the examples that an example does not make itself. */
const NAMES: Readonly<Record<string, string>> = {
  backend: "is `createBackend()` of `@batchnorm/backend-cpu`",
  inferenceOnly: "is `createBackend()` of `@batchnorm/backend-cpu/inference`",
  x: "is a batch of shape [3, 2]",
  dy: "has the shape of `x`",
  initial: "is a layer's state with two channels",
  file: "has the bytes of a `.keras` file",
  onnx: "has the bytes of a model whose weights lie in a file beside it",
  data: "has the bytes of that file",
};

function glossary(programs: string): string {
  const used = Object.entries(NAMES).filter(([name]) => new RegExp(`(?<![.\\w"])${name}(?![\\w:"])`).test(programs));
  return used.length === 0 ? "" : `Here ${used.map(([name, is]) => `\`${name}\` ${is}`).join(", ")}.\n\n`;
}

async function errorPage({ code, when, clauses }: SpecifiedCode): Promise<GeneratedPage> {
  const { means, causes, cure } = ERROR_TEXTS[code];
  const { wrong, message, right } = await provoke(code);
  const cited = clauses.map((number) => `[${number}](/spec#${anchorOf(number)})`).join(", ");
  const text = `# ${code}

${means}

## Causes

${causes.map((cause) => `- ${cause}`).join("\n")}

## Cure

${cure}

## Example

${glossary(`${wrong} ${right}`)}\`\`\`ts
${wrong}
\`\`\`

\`\`\`text
${message}
\`\`\`

This is accepted:

\`\`\`ts
${right}
\`\`\`

## In the spec

${cited.includes("clause") ? `Clause${clauses.length > 1 ? "s" : ""}` : "Section"} ${cited}: ${when}.
`;
  return {
    path: `errors/${code}.md`,
    text: frontMatter({ source: "apps/site/src/errors/texts.ts", outline: false }) + text,
  };
}

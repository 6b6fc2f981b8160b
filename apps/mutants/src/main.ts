import { parseArgs } from "node:util";
import { suiteChecks } from "@batchnorm/conformance";
import { ProgressLine, readVectors } from "@batchnorm/conformance/node";
import { MUTANTS } from "./all.ts";
import { runMutants } from "./run.ts";

/** `pnpm mutants [name ...]`: holds the suite against its mutants, or against those that are named. Exits with 1 where one lives. */
const { positionals } = parseArgs({ allowPositionals: true });
const unknown = positionals.find((name) => !MUTANTS.some((mutant) => mutant.name === name));
if (unknown !== undefined) {
  console.error(`There is no mutant ${unknown}, expected one of apps/mutants/src.`);
  process.exit(2);
}
const wanted = positionals.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => positionals.includes(name));
const progress = new ProgressLine();
const results = await runMutants(suiteChecks(await readVectors()), progress.show, wanted);
progress.clear();
for (const { mutant, fault, clauses, caughtBy } of results) {
  if (caughtBy === null) console.log(`✗ ${mutant} lives: it ${fault} (${clauses.join(", ")}).`);
  else if (positionals.length > 0) console.log(`✓ ${mutant}: it ${fault}. ${caughtBy.id} says: ${caughtBy.message}`);
}
const caught = results.filter(({ caughtBy }) => caughtBy !== null).length;
console.log(`${caught} of ${results.length} wrong backends caught, each by a check of the clause that describes its fault.`);
process.exitCode = caught === results.length ? 0 : 1;

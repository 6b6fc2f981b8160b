import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { SUBJECTS } from "./backends.ts";
import { allPlans, type Plan } from "./cases.ts";
import { type Errors, OUTPUTS, type OutputName } from "./errors.ts";
import { kerasErrors } from "./keras.ts";

const KERAS = fileURLToPath(new URL("../keras.json", import.meta.url));

const options = new Command("accuracy")
  .description("How far each backend lies from the truth in training, in units of max(Keras's own error, 1 ULP of the largest number).")
  .option("--backend <name...>", "which backends", Object.keys(SUBJECTS))
  .option("--record-keras <python>", "run Keras with this Python first, and write its errors to keras.json")
  .option("--longest <n>", "the longest channel", "1000000")
  .option("--only <text>", "cases whose id has this in it")
  .option("--details <count>", "how many of the worst cases to print", "5")
  .option("--json <file>", "where to write all errors")
  .parse()
  .opts<{ backend: string[]; recordKeras?: string; longest: string; only?: string; details: string; json?: string }>();

const idOf = (plan: Plan): string => `${plan.pattern}, [${plan.shape.join(", ")}], axis ${plan.axis}, mask ${plan.mask}`;
const plans = allPlans().filter((plan) => {
  const n = plan.axis === -1 ? plan.shape[0] : plan.shape[0] * plan.shape[2];
  return n <= Number(options.longest) && idOf(plan).includes(options.only ?? "");
});

if (options.recordKeras !== undefined) {
  const round = (errors: Errors) => Object.fromEntries(OUTPUTS.map((name) => [name, Number(errors[name].toPrecision(4))]));
  const recorded = await kerasErrors(options.recordKeras, plans);
  writeFileSync(
    KERAS,
    `{\n${Object.entries(recorded)
      .map(([id, errors]) => `  ${JSON.stringify(id)}: ${JSON.stringify(round(errors))}`)
      .join(",\n")}\n}\n`,
  );
}
if (!existsSync(KERAS)) throw new Error("keras.json is not there: run with --record-keras.");
const keras = JSON.parse(readFileSync(KERAS, "utf8")) as Record<string, Errors>;

/** A sum whose terms outweigh it by more has lost four bits to cancellation before anybody rounds. */
const WELL_CONDITIONED = 16;

interface Found {
  readonly ratio: number;
  readonly output: OutputName;
  readonly id: string;
  readonly error: number;
  readonly own: number;
  readonly condition: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const worstOf = (found: readonly Found[]): string =>
  OUTPUTS.map((output) => `${output} ${found.find((each) => each.output === output)?.ratio.toPrecision(3) ?? "-"}`).join(", ");

const all: Record<string, Record<string, Errors>> = {};
for (const name of options.backend) {
  const subject = await SUBJECTS[name]();
  const found: Found[] = [];
  const written: Record<string, Errors> = {};
  for (const plan of plans) {
    const id = idOf(plan);
    const { errors, condition } = await subject.errors(plan);
    written[id] = errors;
    for (const output of OUTPUTS) {
      const own = keras[id][output];
      found.push({ ratio: errors[output] / Math.max(own, 1), output, id, error: errors[output], own, condition: condition[output] });
    }
  }
  await subject.close();
  all[name] = written;
  found.sort((a, b) => b.ratio - a.ratio);
  const well = found.filter(({ condition }) => condition <= WELL_CONDITIONED);
  say(`${name}: ${worstOf(well)}; over 4: ${well.filter(({ ratio }) => !(ratio <= 4)).length} of ${well.length}`);
  say(`    with sums that cancel: ${worstOf(found)}; over 4: ${found.filter(({ ratio }) => !(ratio <= 4)).length} of ${found.length}`);
  for (const { ratio, output, id, error, own, condition } of well.slice(0, Number(options.details))) {
    const numbers = `${error.toPrecision(3)} ULP, Keras ${own.toPrecision(3)}, condition ${condition.toPrecision(2)}`;
    say(`    ${ratio.toPrecision(3)}: ${output} of ${id}: ${numbers}`);
  }
}
if (options.json) writeFileSync(options.json, JSON.stringify(all));

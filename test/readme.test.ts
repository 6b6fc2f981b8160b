import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readmeExample, runProgram } from "../scripts/readme-example.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));
const example = readmeExample(README);
const folder = (name: string): string => fileURLToPath(new URL(`../packages/${name}`, import.meta.url));
const IMPORT = /^import \{ createBackend \} from "(.*)";/m;

/** Every number with a point that the program prints. */
const numbersOf = (text: string): number[] => [...text.matchAll(/-?\d+\.\d+/g)].map(([number]) => Number(number));

describe("the README's program", () => {
  it("prints what its comments say", () => {
    const printed = runProgram(README, example, folder("backend-cpu"));
    // (12 - 10) / sqrt(4.001) * 1.5 and so on, by hand; twice the statistics, since a frozen layer leaves them.
    const statistics = [10.04, 3.98667, 8.97];
    const wanted = [1.49981, 0.50003, 2.99962, 1.49997, 4.49944, -1.83677, 0.38768, 1.61232, 1.83677, ...statistics, ...statistics];
    expect(numbersOf(printed)).toHaveLength(wanted.length);
    numbersOf(printed).forEach((number, index) => {
      expect(number).toBeCloseTo(wanted[index], 4);
    });
  });

  const lines = [...readFileSync(README, "utf8").matchAll(/^\+ (import \{ createBackend \} from "(@batchnorm\/[a-z-]+).*";)/gm)];

  it("is shown for two more backends", () => {
    expect(lines).toHaveLength(2);
  });

  it.each(lines.map(([, line, name]) => [line, name]))("gives the same numbers with %s", (line, name) => {
    const [wanted, got] = [
      runProgram(README, example, folder("backend-cpu")),
      runProgram(README, example.replace(IMPORT, line), folder(name.replace("@batchnorm/", ""))),
    ].map(numbersOf);
    expect(got.length).toBeGreaterThan(wanted.length - 2);
    // A float32 sum may give 1.0000001 where another gives 1.
    expect(got.filter((number) => !wanted.some((each) => Math.abs(each - number) < 1e-5) && Math.abs(number - 1) > 1e-5)).toEqual([]);
  });
});

it("runs the guide's program, and it prints what its comments say", () => {
  const guide = fileURLToPath(new URL("../docs/guide.md", import.meta.url));
  const program = readmeExample(guide);
  const comments = [...program.matchAll(/; \/\/ (.*)$/gm)].map(([, comment]) => comment);
  expect(runProgram(guide, program, folder("backend-cpu")).trim().split("\n")).toEqual(comments);
});

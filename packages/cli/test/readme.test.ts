import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { program } from "../src/cli.ts";
import { batchnorm, fixture } from "./run.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("begins with the true output of inspect on a real model", async () => {
  const { out } = await batchnorm("inspect", fixture("recalibration/digits.onnx"));
  expect(readme).toContain(`\`\`\`console\n$ batchnorm inspect digits.onnx\n${out}\`\`\``);
});

it("shows the true output of verify on a model that the runtime computes wrongly", async () => {
  const { out, status } = await batchnorm("verify", fixture("handmade/training-equal-initializers.onnx"));
  expect(readme).toContain(`\`\`\`console\n$ batchnorm verify untrained.onnx\n${out}\`\`\``);
  expect(status).toBe(1);
});

it("names every command", () => {
  const { commands } = program({ terminal: { out: () => undefined, err: () => undefined, isInteractive: false }, finish: () => undefined });
  for (const command of commands) {
    const names = command.commands.length === 0 ? [command.name()] : command.commands.map((each) => `${command.name()} ${each.name()}`);
    for (const name of names) expect(readme).toContain(`| \`${name}`);
  }
});

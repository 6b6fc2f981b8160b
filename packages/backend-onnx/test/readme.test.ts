import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";

test("the README's example runs and prints what its comments say", () => {
  const printed = runReadmeExample(fileURLToPath(new URL("../README.md", import.meta.url)));
  expect(printed).toBe("0.20000000298023224 3\n[ 3, 2 ] [ 2 ]\ntrue\n2 0.5\n");
});

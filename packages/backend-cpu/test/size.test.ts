import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

it("the package's code is less than 20 kB, gzipped", () => {
  const { scripts } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const folder = mkdtempSync(join(tmpdir(), "size-"));
  try {
    const [command, ...flags] = scripts["build:code"].split(" ");
    expect(command).toBe("tsc");
    const compiler = join(PACKAGE, "../../node_modules/.bin/tsc");
    expect(spawnSync(compiler, [...flags, "--outDir", folder], { cwd: PACKAGE, encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: "",
    });
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
    expect(files).toContain(join("simd", "module.generated.js"));
    const code = files.map((name) => readFileSync(join(folder, name))).reduce((all, file) => Buffer.concat([all, file]));
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(20_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

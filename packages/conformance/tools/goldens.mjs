// `pnpm goldens [--check]`: runs generate.py in a virtual environment with exactly the packages of requirements.txt.
// The environment lies in packages/conformance/.venv and is made anew when requirements.txt changes.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const tools = dirname(fileURLToPath(import.meta.url));
const venv = join(tools, "..", ".venv");
const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
const requirements = join(tools, "requirements.txt");
const installed = join(venv, "installed-requirements.txt");

/** Runs a command with this process's terminal; ends this process with its status if it fails. */
function run(command, args) {
  // Without bytecode files, which would lie among the sources.
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const { error, status } = spawnSync(command, args, { stdio: "inherit", env });
  if (error) console.error(`goldens: cannot run ${command}: ${error.message}`);
  if (error || status !== 0) process.exit(status || 1);
}

const wanted = readFileSync(requirements, "utf8");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== wanted) {
  rmSync(venv, { recursive: true, force: true });
  run(process.env.PYTHON ?? "python3", ["-m", "venv", venv]);
  writeFileSync(join(venv, ".gitignore"), "*\n");
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  writeFileSync(installed, wanted); // last, so that an interrupted installation starts again
}
run(python, [join(tools, "generate.py"), ...process.argv.slice(2)]);

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runOrThrow } from "@batchnorm/packing";

export type Manager = "npm" | "pnpm";

/** An empty project, and what is put into it. */
export class Project {
  readonly folder: string;
  readonly manager: Manager;

  private constructor(folder: string, manager: Manager) {
    this.folder = folder;
    this.manager = manager;
  }

  /** A new folder, whose @batchnorm packages come from `registry`. */
  static async create(manager: Manager, registry: string): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), "install-")), manager);
    await project.write("package.json", JSON.stringify({ name: "empty", private: true, type: "module" }));
    await project.write(".npmrc", `@batchnorm:registry=${registry}\n`);
    // Its own workspace: what lies above the folder is none of its business.
    if (manager === "pnpm") await project.write("pnpm-workspace.yaml", "packages: []\n");
    return project;
  }

  /** Installs packages as its user does: `npm install NAME...`. */
  async install(...packages: string[]): Promise<void> {
    const { folder: cwd } = this;
    const names = packages.filter((each) => !each.startsWith("-"));
    if (this.manager === "npm") {
      await runOrThrow("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], { cwd });
    } else {
      // Scripts of dependencies are not run, as it is pnpm's default; only that it is no error there is said.
      await runOrThrow("npx", ["-y", "pnpm@12", "add", "--prefer-offline", "--config.strict-dep-builds=false", ...names], { cwd });
    }
  }

  /** Writes a file, with the folders that it needs. Returns its path. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  /** The names of all packages that were installed, at whatever depth. */
  async installed(): Promise<string[]> {
    const names = new Set<string>();
    await collect(join(this.folder, "node_modules"), names);
    return [...names].sort();
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** Adds the packages of a `node_modules`, those of the packages in it, and of pnpm's store in it. */
async function collect(modules: string, names: Set<string>): Promise<void> {
  const add = (name: string, path: string): Promise<void> => {
    names.add(name);
    return collect(join(path, "node_modules"), names);
  };
  const entries = await readdir(modules, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(modules, entry.name);
    if (entry.name === ".pnpm") {
      for (const each of await readdir(path)) if (each !== "node_modules") await collect(join(path, each, "node_modules"), names);
    } else if (entry.name.startsWith("@")) {
      for (const each of await readdir(path)) await add(`${entry.name}/${each}`, join(path, each));
    } else if (!entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink())) await add(entry.name, path);
  }
}

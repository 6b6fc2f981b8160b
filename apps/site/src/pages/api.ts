import { readFile, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import { Application, type TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";
import { REPOSITORY, ROOT, SITE } from "../place.ts";

/** The packages in the reference, those that most people use first. */
export const PACKAGES = ["backend-cpu", "backend-onnx", "backend-tfjs", "spec", "onnx-model", "weights", "conformance"] as const;

type Options = TypeDocOptions & PluginOptions;

/** Writes the API reference: a page for every entry of every package, from the docstrings. */
export async function apiPages(out: string): Promise<void> {
  const entries = (await Promise.all(PACKAGES.map(entriesOf))).flat();
  const options: Partial<Options> = {
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: entries.map(({ source }) => source),
    tsconfig: `${SITE}/tsconfig.typedoc.json`,
    // Types are checked by TypeScript 7; TypeDoc needs an older one, and only reads.
    skipErrorChecking: true,
    readme: "none",
    router: "module",
    entryFileName: "index.md",
    outputs: [{ name: "markdown", path: out }],
    hideBreadcrumbs: true,
    hidePageHeader: true,
    excludeExternals: true,
    excludePrivate: true,
    excludeInternal: true,
    disableGit: true,
    sourceLinkTemplate: `${REPOSITORY}/blob/main/{path}#L{line}`,
    displayBasePath: ROOT,
    basePath: ROOT,
    parametersFormat: "table",
    interfacePropertiesFormat: "list",
    typeDeclarationFormat: "list",
    // TypeDoc counts headings of one name otherwise than VitePress, so it brings the anchors to which it links.
    useHTMLAnchors: true,
    useCodeBlocks: true,
    sanitizeComments: true,
    logLevel: "Error",
  };
  const application = await Application.bootstrapWithPlugins(options as Partial<TypeDocOptions>);
  const project = await application.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the packages.");
  for (const module of project.children ?? [])
    module.name = entries.find(({ source }) => source === module.sources?.[0]?.fullFileName)?.name ?? module.name;
  await application.generateOutputs(project);
  for (const { name } of entries) await retitle(`${out}/${name}.md`, `@batchnorm/${name}`);
  await writeFile(`${out}/index.md`, await overview());
  if (application.logger.hasErrors()) throw new Error("TypeDoc reported errors.");
}

/** TypeDoc calls a page by its path; its title is the name that is imported. */
async function retitle(path: string, title: string): Promise<void> {
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/^# .*$/m, `# ${title}`));
}

/** The page that lists the packages. */
async function overview(): Promise<string> {
  const rows = await Promise.all(
    PACKAGES.map(async (name) => {
      const { description } = JSON.parse(await readFile(`${ROOT}/packages/${name}/package.json`, "utf8")) as { description: string };
      return `| [@batchnorm/${name}](/api/${name}) | ${description} |`;
    }),
  );
  return `# API reference

Made from the docstrings. What is shown of a package is what it exports; shapes are written \`[outer, channels, inner]\`.

| package | what it is |
|---|---|
${rows.join("\n")}
`;
}

/** An entry of a package: the name by which it is imported, and its source. */
interface Entry {
  readonly name: string;
  readonly source: string;
}

async function entriesOf(name: string): Promise<Entry[]> {
  const folder = `${ROOT}/packages/${name}`;
  const { exports } = JSON.parse(await readFile(`${folder}/package.json`, "utf8")) as {
    exports: Readonly<Record<string, { readonly "@batchnorm/source"?: string; readonly default?: string }>>;
  };
  return Object.entries(exports).flatMap(([path, { "@batchnorm/source": source, default: published }]) => {
    // What is not published is for the apps here. ONNX's messages are generated from its schema, which has its own documentation.
    if (source === undefined || published === undefined || path === "./proto") return [];
    return [{ name: posix.join(name, path), source: posix.join(folder, source) }];
  });
}

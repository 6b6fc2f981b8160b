import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../config.ts";
import { messageOf } from "../isolated/inside.ts";

type Vite = typeof import("vite");

/** What a page of the site asks for and tells. */
export interface PageHandler {
  readonly order: string;
  tell(text: string): void;
  print(text: string): void;
  /** The page has gone. */
  left(): void;
}

export interface Site {
  /** The address of a page of its own for one handler. */
  open(handler: PageHandler): string;
  close(): Promise<void>;
}

/**
 * Bundles an adapter or config with the suite into a page, and serves it with the golden vectors on a free port of this machine.
 *
 * @throws UsageError when vite is not installed, or the module cannot be bundled.
 */
export async function openSite(config: string, vectors: string): Promise<Site> {
  const vite = await loadVite();
  const root = await mkdtemp(join(tmpdir(), "batchnorm-conformance-"));
  const handlers = new Map<string, PageHandler>();
  try {
    await writePage(root, config);
    await buildPage(vite, root, config, vectors);
    const server = await vite.preview({
      ...SHARED,
      root: join(root, "site"),
      build: { outDir: join(root, "site") },
      plugins: [{ name: "batchnorm-conformance", configurePreviewServer: ({ middlewares }) => serveHandlers(middlewares, handlers) }],
      preview: { host: "127.0.0.1", port: 0, headers: ISOLATION },
    });
    const { port } = server.httpServer.address() as AddressInfo;
    return {
      open(handler) {
        const name = String(handlers.size + 1);
        handlers.set(name, handler);
        return `http://127.0.0.1:${port}/?page=${name}`;
      },
      async close() {
        await server.close();
        await rm(root, { recursive: true });
      },
    };
  } catch (error) {
    await rm(root, { recursive: true });
    throw error;
  }
}

const SHARED = { configFile: false, logLevel: "error", appType: "mpa" } as const;

/** What a browser asks for before it gives a page SharedArrayBuffer, and with it wasm its threads. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

async function loadVite(): Promise<Vite> {
  try {
    return await import("vite");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UsageError("--browser needs vite, which bundles the adapter: npm install --save-dev vite.");
  }
}

async function writePage(root: string, config: string): Promise<void> {
  const page = fileURLToPath(new URL(FROM_SOURCE ? "page.ts" : "page.js", import.meta.url));
  // Not a static import: a module that throws is told of, and does not end the page.
  const entry = `import { run } from ${JSON.stringify(page)};\nvoid run(() => import(${JSON.stringify(resolve(config))}));\n`;
  await writeFile(join(root, "entry.js"), entry);
  await writeFile(
    join(root, "index.html"),
    `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Batch normalization</title>
    <link rel="icon" href="data:,">
    <script type="module" src="/entry.js"></script>
  </head>
</html>
`,
  );
}

const FROM_SOURCE: boolean = import.meta.url.endsWith(".ts");

async function buildPage({ build, defaultClientConditions }: Vite, root: string, config: string, vectors: string): Promise<void> {
  try {
    await build({
      ...SHARED,
      root,
      resolve: { conditions: [...(FROM_SOURCE ? ["@batchnorm/source"] : []), ...defaultClientConditions] },
      publicDir: vectors,
      build: { outDir: "site", target: "esnext", minify: false, chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
    });
  } catch (error) {
    const [first, ...others] = (error as Error).message.split("\n");
    throw new UsageError(`${config} could not be bundled: ${first}`, others.length === 0 ? null : others.join("\n"));
  }
}

type Middlewares = import("vite").PreviewServer["middlewares"];

function serveHandlers(middlewares: Middlewares, handlers: ReadonlyMap<string, PageHandler>): void {
  const serve = (path: string, answer: (handler: PageHandler, request: IncomingMessage, response: ServerResponse) => void): void => {
    middlewares.use(path, (request, response) => {
      const handler = handlers.get(new URL(request.url ?? "", "http://localhost").searchParams.get("page") ?? "");
      if (handler !== undefined) answer(handler, request, response);
      else response.writeHead(404).end();
    });
  };
  serve("/order", ({ order }, _, response) => response.end(order));
  serve("/tell", (handler, request, response) => {
    bodyOf(request)
      .then((text) => handler.tell(text))
      .then(
        () => response.end(),
        (error) => response.writeHead(500).end(messageOf(error)),
      );
  });
  serve("/print", (handler, request, response) => {
    bodyOf(request)
      .then((text) => handler.print(text))
      .then(
        () => response.end(),
        (error) => response.writeHead(500).end(messageOf(error)),
      );
  });
  serve("/left", (handler, _, response) => {
    handler.left();
    response.end();
  });
  serve("/alive", (handler, _, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).write("\n");
    response.on("close", () => handler.left());
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

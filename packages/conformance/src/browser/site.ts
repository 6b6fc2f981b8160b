import type { IncomingMessage, ServerResponse } from "node:http";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { PreviewServer } from "vite";
import { UsageError } from "../config.ts";
import { messageOf } from "../isolated/inside.ts";
import { type BuiltPage, buildPage, FROM_SOURCE, type Vite } from "./serve.ts";

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
  const page = await bundle(await loadVite(), config, vectors);
  const handlers = new Map<string, PageHandler>();
  const configurePreviewServer = ({ middlewares }: PreviewServer): void => serveHandlers(middlewares, handlers);
  const { url, close } = await page.serve({ plugins: [{ name: "batchnorm-conformance", configurePreviewServer }] });
  return {
    open(handler) {
      const name = String(handlers.size + 1);
      handlers.set(name, handler);
      return `${url}?page=${name}`;
    },
    close,
  };
}

async function loadVite(): Promise<Vite> {
  try {
    return await import("vite");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UsageError("--browser needs vite, which bundles the adapter: npm install --save-dev vite.");
  }
}

async function bundle(vite: Vite, config: string, vectors: string): Promise<BuiltPage> {
  const page = fileURLToPath(new URL(FROM_SOURCE ? "page.ts" : "page.js", import.meta.url));
  // Not a static import: a module that throws is told of, and does not end the page.
  const entry = `import { run } from ${JSON.stringify(page)};\nvoid run(() => import(${JSON.stringify(resolve(config))}));\n`;
  try {
    return await buildPage(vite, { entry, files: vectors });
  } catch (error) {
    const [first, ...others] = (error as Error).message.split("\n");
    throw new UsageError(`${config} could not be bundled: ${first}`, others.length === 0 ? null : others.join("\n"));
  }
}

function serveHandlers(middlewares: PreviewServer["middlewares"], handlers: ReadonlyMap<string, PageHandler>): void {
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

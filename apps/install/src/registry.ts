import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { PackedPackage } from "@batchnorm/packing";

/** A registry on a port of this machine. */
export interface Registry {
  /** Ends in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A registry that has the packed packages and no others: projects take the scope @batchnorm from it, and all else from where they
 * always do. So `npm install` is typed as the READMEs have it, and the dependencies between the packages are resolved as they will be.
 */
export async function startRegistry(packages: readonly PackedPackage[]): Promise<Registry> {
  const documents = new Map<string, unknown>();
  const tarballs = new Map<string, Buffer>();
  const server = createServer(({ url = "/" }, response) => {
    const path = decodeURIComponent(new URL(url, "http://registry").pathname);
    const [document, tarball] = [documents.get(path), tarballs.get(path)];
    if (document !== undefined) response.setHeader("content-type", "application/json").end(JSON.stringify(document));
    else if (tarball !== undefined) response.setHeader("content-type", "application/octet-stream").end(tarball);
    else response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const { name, version, tarball, manifest } of packages) {
    const bytes = await readFile(tarball);
    const path = `/${name}/-/${name.split("/")[1]}-${version}.tgz`;
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    tarballs.set(path, bytes);
    documents.set(`/${name}`, {
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist: { tarball: new URL(path, url).href, integrity } } },
      // pnpm passes over versions of which it does not know that they are old enough.
      time: { [version]: "2026-01-01T00:00:00.000Z" },
    });
  }
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
}

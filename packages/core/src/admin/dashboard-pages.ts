import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { acceptedCodings, type Coding, codings } from "../files/content-coding.ts";
import { contentType } from "../files/content-type.ts";
import type { Page, PageAnswer } from "./page.ts";

/** Where `packages/dashboard` is built to: beside this module, as it is built itself. */
const built = new URL("./dashboard/", import.meta.url);

/** As it was built, and as it was compressed then. */
interface BuiltFile {
  readonly contentType: string;
  /** A name that changes with what is in it. */
  readonly named: boolean;
  readonly tag: string;
  readonly plain: Buffer;
  readonly coded: ReadonlyMap<Coding["name"], Buffer>;
}

/** The page for people, and what it consists of, by path; read once, a few hundred kilobytes. None: it was not built. */
export async function dashboardPages(directory: string = fileURLToPath(built)): Promise<Record<string, Page>> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const plain = names.filter((name) => /\.(html|js|css|svg)$/.test(name));
  const files = plain.map(async (name) => [pathOf(name), pageOf(await read(directory, name, names))] as const);
  return Object.fromEntries(await Promise.all(files));
}

function pathOf(name: string): string {
  return name === "index.html" ? "/" : `/${name.replaceAll("\\", "/")}`;
}

async function read(directory: string, name: string, names: readonly string[]): Promise<BuiltFile> {
  const plain = await readFile(join(directory, name));
  const coded = new Map<Coding["name"], Buffer>();
  for (const coding of codings) {
    const stored = name + coding.extension;
    if (names.includes(stored)) coded.set(coding.name, await readFile(join(directory, stored)));
  }
  return {
    contentType: contentType(name, {}),
    named: name.startsWith("assets"),
    tag: createHash("sha256").update(plain).digest("base64url").slice(0, 22),
    plain,
    coded,
  };
}

function pageOf({ contentType, named, tag, plain, coded }: BuiltFile): Page {
  const cacheControl = named ? "private, max-age=31536000, immutable" : "private, no-cache";
  return ({ acceptEncoding, ifNoneMatch }): PageAnswer => {
    const coding = acceptedCodings(acceptEncoding).find(({ name }) => coded.has(name));
    const etag = `"${tag}${coding === undefined ? "" : `-${coding.name}`}"`;
    const fields = { etag, "cache-control": cacheControl, vary: "accept-encoding" };
    if (ifNoneMatch?.split(/\s*,\s*/).includes(etag)) return { status: 304, contentType, body: "", fields };
    if (coding === undefined) return { status: 200, contentType, body: plain, fields };
    return {
      status: 200,
      contentType,
      body: coded.get(coding.name)!,
      fields: { ...fields, "content-encoding": coding.name },
    };
  };
}

import { describe, expect, it } from "vitest";
import { fileSchema } from "../options/file-options.ts";
import { parseOptions } from "../options/validation.ts";
import { acceptedCodings } from "./content-coding.ts";
import { filePath } from "./file-path.ts";
import type { Known, KnownFile } from "./known-file.ts";
import { type Resolution, resolve } from "./resolution.ts";

const file = (content: string): KnownFile => ({
  kind: "file",
  size: content.length,
  identity: content,
  etag: undefined,
  lastModified: undefined,
  content: Buffer.from(content),
});

const tree: Readonly<Record<string, Known>> = {
  "": { kind: "directory" },
  "index.html": file("root"),
  "404.html": file("missing"),
  "app.js": file("app"),
  "app.js.br": file("app in br"),
  "app.js.gz": file("app in gzip"),
  "photo.png": file("photo"),
  "photo.png.gz": file("never"),
  "blog.html": file("blog"),
  blog: { kind: "directory" },
  "blog/post.html": file("post"),
  docs: { kind: "directory" },
  "docs/index.html": file("docs"),
  bare: { kind: "directory" },
};

function found(
  path: string,
  { options = {}, accept = "", page = false } = {},
): Resolution & { readonly asked: readonly string[] } {
  const rules = parseOptions(fileSchema, { files: ".", ...options });
  const steps = resolve(
    filePath(path, false),
    { codings: acceptedCodings(accept), navigates: page, particular: false },
    rules,
  );
  const asked: string[] = [];
  let step = steps.next();
  while (step.done !== true) {
    asked.push(step.value);
    step = steps.next(tree[step.value] ?? { kind: "absent" });
  }
  return { ...step.value, asked };
}

describe("resolve", () => {
  it("finds a file, or the index of a directory", () => {
    expect(found("/app.js")).toMatchObject({ status: 200, name: "app.js", coding: undefined });
    expect(found("/")).toMatchObject({ status: 200, name: "index.html" });
    expect(found("/docs/")).toMatchObject({ status: 200, name: "docs/index.html" });
  });

  it("sends who leaves out a directory's slash there, and only where there is an index", () => {
    expect(found("/docs")).toMatchObject({ kind: "redirect" });
    expect(found("/bare")).toMatchObject({ status: 404 });
  });

  it("BAD-INPUTS 173: has no listing, and no file with a slash behind it", () => {
    expect(found("/bare/")).toMatchObject({ status: 404, name: "404.html" });
    expect(found("/app.js/")).toMatchObject({ status: 404 });
    expect(found("/docs/", { options: { index: false } })).toMatchObject({ status: 404 });
  });

  it("answers 404 by its page, if there is one", () => {
    expect(found("/nothing")).toMatchObject({ kind: "file", status: 404, name: "404.html" });
    expect(found("/nothing", { options: { notFound: "none.html" } })).toMatchObject({ kind: "none" });
    expect(found("/nothing", { options: { notFound: false } })).toMatchObject({ kind: "none" });
    expect(found("/..%2f", { options: { notFound: false } })).toMatchObject({ kind: "none", asked: [] });
  });

  it("lets an extension be left out, before the directory of the name", () => {
    const options = { extensions: [".html"] };
    expect(found("/blog", { options })).toMatchObject({ status: 200, name: "blog.html" });
    expect(found("/blog/post", { options })).toMatchObject({ status: 200, name: "blog/post.html" });
    expect(found("/docs", { options })).toMatchObject({ kind: "redirect" });
    expect(found("/nothing", { options })).toMatchObject({ status: 404 });
  });

  it("sends what is smaller to who takes it, as what it is of", () => {
    expect(found("/app.js", { accept: "gzip, br" })).toMatchObject({
      coding: { name: "br" },
      type: "text/javascript; charset=utf-8",
    });
    expect(found("/app.js", { accept: "gzip" })).toMatchObject({ coding: { name: "gzip" }, vary: "Accept-Encoding" });
    expect(found("/app.js", { accept: "zstd" })).toMatchObject({ coding: undefined, vary: "Accept-Encoding" });
    expect(found("/app.js.gz", { accept: "gzip" })).toMatchObject({
      coding: undefined,
      type: "application/gzip",
      vary: undefined,
    });
    expect(found("/photo.png", { accept: "gzip" })).toMatchObject({
      coding: undefined,
      vary: undefined,
      asked: ["photo.png"],
    });
    const options = { precompressed: false };
    expect(found("/app.js", { accept: "br", options })).toMatchObject({ coding: undefined, vary: undefined });
  });

  it("answers pages of an app that routes in the browser with its own", () => {
    const options = { spa: true };
    expect(found("/users/1", { options, page: true })).toMatchObject({
      status: 200,
      name: "index.html",
      vary: "Accept-Encoding, Accept",
    });
    expect(found("/users/jane.doe", { options, page: true })).toMatchObject({ status: 200, name: "index.html" });
    expect(found("/users/1/", { options, page: true })).toMatchObject({ status: 200 });
    expect(found("/users/1", { options })).toMatchObject({ status: 404 });
    expect(found("/assets/x.js", { options, page: true })).toMatchObject({ status: 404 });
    expect(found("/assets/x.js.br", { options, page: true })).toMatchObject({ status: 404 });
    expect(found("/.env", { options, page: true })).toMatchObject({ status: 404 });
    expect(found("/users/1", { page: true })).toMatchObject({ status: 404 });
  });
});

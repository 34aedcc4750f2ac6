import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { type FileOptions, fileSchema } from "../options/file-options.ts";
import { parseOptions } from "../options/validation.ts";
import type { FileAnswer, FileRequest } from "./file-request.ts";
import { FileServer } from "./file-server.ts";
import { maxContentBytes } from "./file-table.ts";

const longAgo = Date.UTC(2020, 0, 1) / 1_000;
const large = maxContentBytes + 1_004;

let folder: string;
let root: string;
let clock: ManualClock;
let server: FileServer;
let nowMs: number;

function write(name: string, content: string | Buffer, seconds = longAgo): void {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, seconds, seconds);
}

function serve(options: Partial<FileOptions> = {}): void {
  const settings = parseOptions(fileSchema, { files: root, ...options });
  server?.close();
  server = new FileServer({ settings, clock, wallClock: () => nowMs, random: seededRandom(1) });
}

function asking(target: string, fields: Record<string, string> = {}, method = "GET"): [FileRequest, string] {
  const [path = ""] = target.split("?");
  return [{ method, target, fields, header: (name) => fields[name] }, path];
}

const get = (target: string, fields?: Record<string, string>, method?: string): Promise<FileAnswer> =>
  server.answer(...asking(target, fields, method));

function field(answer: FileAnswer, name: string): string | undefined {
  const at = answer.fields.indexOf(name);
  return at === -1 ? undefined : answer.fields[at + 1];
}

/** What a client would get of the body. */
async function text(answer: FileAnswer): Promise<string> {
  const parts: Buffer[] = [];
  for (const part of answer.body) {
    if (Buffer.isBuffer(part)) parts.push(part);
    else {
      const bytes = Buffer.alloc(part.end - part.start);
      for (let at = 0; at < bytes.length; ) {
        const rest = Buffer.alloc(bytes.length - at);
        const read = await part.file.read(rest, part.start + at, rest.length);
        if (read === 0) throw new Error("The file is shorter than it was.");
        rest.copy(bytes, at, 0, read);
        at += read;
      }
      parts.push(bytes);
    }
  }
  const all = Buffer.concat(parts);
  if (answer.body.length > 0) expect(all.length).toBe(answer.length);
  return all.toString("latin1");
}

/** Files below the root that this process has open. */
function openFiles(): readonly string[] {
  const links = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return links.filter((path) => path.startsWith(folder));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lb-files-"));
  root = join(folder, "root");
  mkdirSync(root);
  clock = new ManualClock();
  nowMs = Date.UTC(2026, 0, 1);
  serve();
});

afterEach(async () => {
  server.close();
  await eventually(() => openFiles().length === 0, { what: "all files are closed" });
  rmSync(folder, { recursive: true });
});

describe("FileServer", () => {
  it("sends a file with what is known of it, and knows it from then on", async () => {
    write("index.html", "<p>hello");
    expect(server.known(...asking("/"))).toBeUndefined();
    const answer = await get("/");
    expect(answer).toMatchObject({ status: 200, length: 8 });
    expect(await text(answer)).toBe("<p>hello");
    expect(answer.fields).toEqual([
      ...["Content-Type", "text/html; charset=utf-8", "Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"],
      ...["ETag", expect.stringMatching(/^"\w+-8"$/), "Cache-Control", "no-cache", "Vary", "Accept-Encoding"],
      ...["Accept-Ranges", "bytes", "X-Content-Type-Options", "nosniff"],
    ]);
    expect(server.known(...asking("/"))).toBe(answer);
    await eventually(() => openFiles().length === 0, { what: "it is closed" });
  });

  it("answers HEAD with the fields alone, and other methods not at all", async () => {
    write("a.txt", "hello");
    expect(await get("/a.txt", {}, "HEAD")).toMatchObject({ status: 200, length: 5, body: [] });
    const refused = await get("/a.txt", {}, "POST");
    expect([refused.status, field(refused, "Allow")]).toEqual([405, "GET, HEAD"]);
    expect(await get("/nothing", {}, "HEAD")).toMatchObject({ status: 404, body: [] });
  });

  it("tells who has a file already so, and who wants a part that, of those in memory and on the disk", async () => {
    const content = "0123456789".repeat(large / 10);
    write("small.bin", content.slice(0, 100));
    write("large.bin", content);
    for (const [path, size] of [
      ["/small.bin", 100],
      ["/large.bin", large],
    ] as const) {
      const whole = await get(path);
      expect(await text(whole)).toBe(content.slice(0, size));
      const etag = field(whole, "ETag")!;
      const same = await get(path, { "if-none-match": etag });
      expect(same).toMatchObject({ status: 304, length: undefined, body: [] });
      expect(same.fields).toEqual(["Last-Modified", expect.anything(), "ETag", etag, "Cache-Control", "no-cache"]);
      const middle = await get(path, { range: "bytes=12-25" });
      expect([middle.status, field(middle, "Content-Range"), await text(middle)]).toEqual([
        206,
        `bytes 12-25/${size}`,
        "23456789012345",
      ]);
      const none = await get(path, { range: `bytes=${size}-` });
      expect([none.status, field(none, "Content-Range")]).toEqual([416, `bytes */${size}`]);
      const held = await get(path, { range: "bytes=0-1", "if-range": etag });
      expect(held.status).toBe(206);
      expect((await get(path, { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
      expect((await get(path, { "if-match": '"other"' })).status).toBe(412);
      expect((await get(path, { range: "bytes=0-1" }, "HEAD")).status).toBe(200);
    }
  });

  it("sends several ranges in one body", async () => {
    write("a.txt", "0123456789");
    const answer = await get("/a.txt", { range: "bytes=0-1,-2" });
    expect(answer.status).toBe(206);
    const [, boundary] = /^multipart\/byteranges; boundary=(\w{21})$/.exec(field(answer, "Content-Type")!)!;
    expect((await text(answer)).split("\r\n")).toEqual([
      ...[`--${boundary}`, "Content-Type: text/plain; charset=utf-8", "Content-Range: bytes 0-1/10", "", "01"],
      ...[
        `--${boundary}`,
        "Content-Type: text/plain; charset=utf-8",
        "Content-Range: bytes 8-9/10",
        "",
        "89",
        `--${boundary}--`,
        "",
      ],
    ]);
  });

  it("sees what was changed, within a second, and keeps what was not", async () => {
    write("a.txt", "one");
    const first = await get("/a.txt");
    write("a.txt", "two", longAgo + 1);
    expect(server.known(...asking("/a.txt"))).toBe(first);
    clock.advance(1_000);
    expect(server.known(...asking("/a.txt"))).toBeUndefined();
    const second = await get("/a.txt");
    expect(await text(second)).toBe("two");
    expect(field(second, "ETag")).not.toBe(field(first, "ETag"));
    clock.advance(1_000);
    expect(await get("/a.txt")).toBe(second);
    unlinkSync(join(root, "a.txt"));
    clock.advance(1_000);
    expect((await get("/a.txt")).status).toBe(404);
    write("a.txt", "three");
    clock.advance(1_000);
    expect(await text(await get("/a.txt"))).toBe("three");
  });

  it("sees a content of the same length whose time was set back", async () => {
    write("a.txt", "one");
    await get("/a.txt");
    write("a.txt", "two");
    clock.advance(1_000);
    expect(await text(await get("/a.txt"))).toBe("two");
  });

  it("says of a file that was changed just now that it may change again", async () => {
    write("a.txt", "one", nowMs / 1_000 - 1);
    const first = await get("/a.txt");
    expect(field(first, "ETag")).toMatch(/^W\//);
    nowMs += 2_000;
    clock.advance(1_000);
    const second = await get("/a.txt");
    expect(`W/${field(second, "ETag")}`).toBe(field(first, "ETag"));
    write("later.txt", "later", nowMs / 1_000 + 100);
    expect(field(await get("/later.txt"), "Last-Modified")).toBeUndefined();
    write("reproducible.txt", "built", 1);
    const built = await get("/reproducible.txt", { "if-modified-since": "Thu, 01 Jan 1970 00:00:01 GMT" });
    expect([built.status, field(built, "ETag"), field(built, "Last-Modified")]).toEqual([200, undefined, undefined]);
  });

  it("BAD-INPUTS 170, 171, 172, 174: sends nothing from outside the root, and nothing but files", async () => {
    writeFileSync(join(folder, "secret.txt"), "secret");
    mkdirSync(join(folder, "root-2"));
    writeFileSync(join(folder, "root-2", "secret.txt"), "secret");
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside", "a.txt"), "secret");
    write("inside/a.txt", "inside");
    write(".env", "secret");
    write(".well-known/security.txt", "contact");
    symlinkSync(join(folder, "secret.txt"), join(root, "file-link"));
    symlinkSync("../outside", join(root, "folder-link"));
    symlinkSync("../root-2", join(root, "sibling-link"));
    symlinkSync("inside", join(root, "inner-link"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("/dev/zero", join(root, "device"));
    execFileSync("mkfifo", [join(root, "fifo")]);
    for (const path of [
      ...["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt", "/inside/../../secret.txt"],
      ...["/a%00.txt", "/inside/a.txt.", `/${"a".repeat(3_000)}`, `/${"a".repeat(300)}`, "//etc/passwd"],
      ...[
        "/file-link",
        "/folder-link/a.txt",
        "/sibling-link/secret.txt",
        "/loop",
        "/device",
        "/fifo",
        "/.env",
        "/inside",
        "/inside/",
      ],
    ]) {
      const answer = await get(path);
      expect([path, answer.status, await text(answer)]).toEqual([path, 404, "404 Not Found\n"]);
    }
    expect(await text(await get("/inner-link/a.txt"))).toBe("inside");
    expect(await text(await get("/.well-known/security.txt"))).toBe("contact");
  });

  it("notices that a directory has become a link to somewhere else", async () => {
    write("data/a.txt", "inside");
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside", "a.txt"), "secret");
    expect((await get("/data/a.txt")).status).toBe(200);
    renameSync(join(root, "data"), join(root, "was"));
    symlinkSync("../outside", join(root, "data"));
    clock.advance(1_000);
    expect((await get("/data/a.txt")).status).toBe(404);
  });

  it("follows a root that is a link, to wherever that leads by then", async () => {
    for (const release of ["one", "two"]) {
      mkdirSync(join(folder, release));
      writeFileSync(join(folder, release, "a.txt"), release);
    }
    rmSync(root, { recursive: true });
    symlinkSync("one", root);
    expect(await text(await get("/a.txt"))).toBe("one");
    symlinkSync("two", join(folder, "next"));
    renameSync(join(folder, "next"), root);
    clock.advance(1_000);
    expect(await text(await get("/a.txt"))).toBe("two");
  });

  it("sends who leaves out a slash to the same host, with the query", async () => {
    write("docs/index.html", "docs");
    write("evil.example/index.html", "docs");
    expect(field(await get("/docs?a=//b"), "Location")).toBe("./docs/?a=//b");
    expect(field(await get("/evil.example"), "Location")).toBe("./evil.example/");
    expect((await get("//evil.example")).status).toBe(404);
    const [request] = asking("/static?a");
    expect(field(server.known(request, "")!, "Location")).toBe("./static/?a");
    expect(await get("/docs")).toMatchObject({ status: 301, length: 0 });
  });

  it("answers with the page for what is not there, whole and unconditionally", async () => {
    write("404.html", "nothing here");
    const answer = await get("/nothing", { "if-none-match": "*", range: "bytes=0-1" });
    expect([answer.status, await text(answer), field(answer, "ETag")]).toEqual([404, "nothing here", undefined]);
  });

  it("forgets in time what is not there", async () => {
    for (let index = 0; index < 5_000; index++) await get(`/nothing-${index}`);
    write("nothing-4999", "there");
    expect((await get("/nothing-4999")).status).toBe(404);
    expect((await get("/nothing-1")).status).toBe(404);
    clock.advance(1_000);
    expect((await get("/nothing-4999")).status).toBe(200);
  });

  it("keeps contents within their bounds, and sends what does not fit all the same", async () => {
    serve({ cacheBytes: 10_000 });
    for (const name of ["a", "b", "c"]) write(`${name}.txt`, name.repeat(4_000));
    write("d.txt", "d".repeat(20_000));
    for (const name of ["a", "b", "c", "d"]) expect((await text(await get(`/${name}.txt`)))[0]).toBe(name);
    expect(server.known(...asking("/a.txt"))).toBeUndefined();
    expect(server.known(...asking("/c.txt"))).toBeDefined();
    await eventually(() => openFiles().length === 1, { what: "those in memory were closed" });
    expect(openFiles()).toEqual([join(root, "d.txt")]);
    serve({ cacheBytes: 0 });
    expect(await text(await get("/a.txt"))).toHaveLength(4_000);
  });

  it("has few files open, and closes those that nobody asks for", async () => {
    serve({ cacheBytes: 0 });
    for (let index = 0; index < 200; index++) write(`${index}.txt`, `${index}`);
    for (let index = 0; index < 200; index++) expect(await text(await get(`/${index}.txt`))).toBe(`${index}`);
    await eventually(() => openFiles().length <= 128, { what: "files were closed" });
    for (let step = 0; step < 3; step++) {
      clock.advance(10_000);
      await get("/7.txt");
    }
    await eventually(() => openFiles().length === 1, { what: "the others were closed" });
    clock.advance(30_000);
    await eventually(() => openFiles().length === 0, { what: "all were closed" });
    expect(clock.pending).toBe(0);
  });

  it("looks once for what many ask for at the same time", async () => {
    write("a.bin", Buffer.alloc(large));
    const answers = await Promise.all(Array.from({ length: 50 }, () => get("/a.bin")));
    expect(new Set(answers).size).toBe(1);
    expect(openFiles()).toHaveLength(1);
  });

  it.each([
    ["truncated", (path: string) => truncateSync(path, 10)],
    ["appended to", (path: string) => appendFileSync(path, "more")],
    ["written over", (path: string) => writeFileSync(path, Buffer.alloc(large, "b"))],
  ])("BAD-INPUTS 177: does not send a file that was %s meanwhile", async (_how, change) => {
    write("a.bin", Buffer.alloc(large, "a"));
    const answer = await get("/a.bin");
    change(join(root, "a.bin"));
    await expect(text(answer)).rejects.toThrow(/was changed|is shorter/);
  });

  it.each([
    ["removed", (path: string) => unlinkSync(path)],
    [
      "replaced",
      (path: string) => {
        writeFileSync(`${path}.new`, "b");
        renameSync(`${path}.new`, path);
      },
    ],
  ])("sends what a file was that is %s meanwhile", async (_how, change) => {
    write("a.bin", Buffer.alloc(large, "a"));
    const answer = await get("/a.bin");
    change(join(root, "a.bin"));
    expect(await text(answer)).toBe("a".repeat(large));
  });

  it("says that it cannot, where the machine cannot", async () => {
    rmSync(root, { recursive: true });
    expect((await get("/a.txt")).status).toBe(404);
    server.close();
    write("a.bin", Buffer.alloc(large));
    const answer = await get("/a.bin");
    await eventually(() => openFiles().length === 0, { what: "what is opened after the end is closed" });
    await expect(text(answer)).rejects.toThrow(/closed/);
  });
});

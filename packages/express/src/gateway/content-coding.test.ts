import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { ContentCoding } from "./content-coding.ts";

const text = Buffer.from(randomBytes(5_000).toString("hex"));
const collected = async (stream: Readable) => Buffer.concat(await stream.toArray());

describe("ContentCoding", () => {
  it.each([
    undefined,
    "",
    "identity",
    "gzip",
    "X-GZIP",
    "deflate",
    "br",
    "zstd",
    "gzip, br",
    "deflate,identity , zstd",
  ])("undoes and redoes %s, whole and in a stream", async (name) => {
    const coding = new ContentCoding(name);
    const encoded = await coding.encode(text);
    expect(await coding.decode(encoded, 100_000)).toEqual(text);
    // Where a stream is cut is chance, and with it how it is compressed.
    const again = await collected(coding.encoded(coding.decoded(Readable.from([encoded]))));
    expect(await coding.decode(again, 100_000)).toEqual(text);
    expect(await collected(coding.decoded(coding.encoded(Readable.from([text]))))).toEqual(text);
  });

  it("knows what others make", async () => {
    expect(
      await new ContentCoding("deflate, br").decode(zlib.brotliCompressSync(zlib.deflateSync(text)), 100_000),
    ).toEqual(text);
  });

  it("is bounded: a few bytes that become many (BAD-INPUTS 81)", async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(10_000_000));
    await expect(new ContentCoding("gzip").decode(bomb, 1_000_000)).rejects.toMatchObject({
      code: "ERR_BUFFER_TOO_LARGE",
    });
  });

  it("fails at what is cut or something else", async () => {
    const coding = new ContentCoding("gzip");
    const encoded = await coding.encode(text);
    for (const broken of [encoded.subarray(0, -20), text]) {
      await expect(coding.decode(broken, 100_000)).rejects.toThrow();
      await expect(collected(coding.decoded(Readable.from([broken])))).rejects.toThrow();
    }
  });

  it("takes no bytes for no body, and says which coding it does not know", async () => {
    expect(await new ContentCoding("gzip").decode(Buffer.alloc(0), 10)).toHaveLength(0);
    expect(() => new ContentCoding("gzip, dcb")).toThrow(/"dcb", which is not known/);
    expect(() => new ContentCoding("constructor")).toThrow(expect.objectContaining({ code: "LB_UPSTREAM_INVALID" }));
  });
});

import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { changedResponse } from "./response-change.ts";
import type { ClientHead } from "./response-head.ts";
import type { ResponseChange } from "./response-options.ts";

const head: ClientHead = {
  status: 200,
  statusText: "Fine",
  fields: ["Content-Type", "text/html; charset=latin1", "Content-Length", "5", "ETag", '"a"', "X-A", "1", "x-a", "2"],
};

async function changed(change: ResponseChange, method = "GET", more: readonly string[] = []) {
  const { head: made, body } = await changedResponse({ ...head, fields: [...head.fields, ...more] }, change, method);
  return { ...made, fields: made.fields.join("|"), body };
}

describe("changedResponse", () => {
  it("changes what is said, and leaves the rest", async () => {
    expect(await changed({})).toEqual({ ...head, fields: head.fields.join("|"), body: undefined });
    expect(await changed({ status: 404 })).toMatchObject({ status: 404, statusText: "Not Found" });
    const { fields } = await changed({ headers: { "X-a": undefined, "X-B": ["1", "2"] } });
    expect(fields).toBe('Content-Type|text/html; charset=latin1|Content-Length|5|ETag|"a"|X-B|1|X-B|2');
  });

  it("another body has another length and charset, a weak validator, and no digest of the one before", async () => {
    const { fields, body } = await changed({ body: "größer" }, "GET", [
      "Repr-Digest",
      "sha-256=:x:",
      "Accept-Ranges",
      "bytes",
    ]);
    expect(fields).toBe('Content-Type|text/html; charset=utf-8|ETag|W/"a"|X-A|1|x-a|2|Content-Length|8');
    expect(String(body)).toBe("größer");
    expect((await changed({ body: new Uint8Array(2) })).fields).toContain("charset=latin1");
  });

  it("is encoded as Content-Encoding says, the changed one", async () => {
    const zipped = await changed({ body: "text" }, "GET", ["Content-Encoding", "gzip"]);
    expect(gunzipSync(zipped.body as Buffer).toString()).toBe("text");
    const plain = await changed({ body: "text", headers: { "content-encoding": undefined } }, "GET", [
      "Content-Encoding",
      "gzip",
    ]);
    expect(String(plain.body)).toBe("text");
    const stream = await changed({ body: Readable.from([Buffer.from("text")]) }, "GET", ["Content-Encoding", "gzip"]);
    expect(gunzipSync(Buffer.concat(await (stream.body as Readable).toArray())).toString()).toBe("text");
    expect(stream.fields).not.toContain("Content-Length");
  });

  it("where there can be no body there is none", async () => {
    expect(await changed({ body: "text" }, "HEAD")).toMatchObject({
      fields: expect.stringMatching(/Content-Length\|4$/),
      body: Buffer.alloc(0),
    });
    expect(await changed({ body: "text", status: 204 })).toMatchObject({
      fields: expect.not.stringContaining("Length"),
      body: Buffer.alloc(0),
    });
    const stream = Readable.from([]);
    expect((await changed({ body: stream }, "HEAD")).body).toEqual(Buffer.alloc(0));
    expect(stream.destroyed).toBe(true);
  });

  it.each([
    [7, /parts of it/],
    [null, /parts of it/],
    [{ status: 101 }, /from 200 on/],
    [{ status: "200" }, /from 200 on/],
    [{ body: {} }, /a text, bytes or a stream/],
    [{ headers: { "a b": "" } }, /"a b" cannot be/],
    [{ headers: { a: "b\r\nc" } }, /"a" cannot be/],
  ])("refuses %j", async (change, message) => {
    await expect(changed(change as ResponseChange)).rejects.toThrow(message);
    await expect(changed(change as ResponseChange)).rejects.toMatchObject({ code: "LB_RULE" });
  });
});

import { describe, expect, it } from "vitest";
import { type ParsedBody, serialiseBody } from "./parsed-body.ts";

const form = "application/x-www-form-urlencoded";
const json = "application/json";
const parsed = (contentType: string | undefined, body: unknown, more: Partial<ParsedBody> = {}): ParsedBody => ({
  body,
  contentType,
  encoded: false,
  contentLength: typeof body === "string" ? Buffer.byteLength(body) : undefined,
  ...more,
});

describe("serialiseBody", () => {
  it.each([
    [json, { a: [1, null, "é"] }, '{"a":[1,null,"é"]}'],
    ["APPLICATION/JSON; charset=utf-8", '{"as": "it was"}', '{"as": "it was"}'],
    ["application/problem+json", [], "[]"],
    [json, 9_007_199_254_740_991, "9007199254740991"],
    ["text/plain; charset=UTF-8", "é", "é"],
    [form, { a: "1", "b c": "4 &=" }, "a=1&b+c=4+%26%3D"],
    [form, {}, ""],
    ["image/png", Buffer.from("bytes"), "bytes"],
    ["text/plain; charset=latin1", Buffer.from("bytes"), "bytes"],
  ])("%s: %j", (type, body, text) => {
    expect(serialiseBody(parsed(type, body))?.toString()).toBe(text);
  });

  it.each([
    ["multipart/form-data", { a: "1" }, {}],
    [json, undefined, {}],
    [undefined, {}, {}],
    // What express.json({ strict: false }) makes of "{\"role\":\"admin\"}" in quotes, plainly or with as many bytes that are no UTF-8 as make up for it.
    [json, '{"role":"admin"}', { contentLength: 24 }],
    [json, '{"role":"admin"}\ufffd', { contentLength: 19 }],
    [json, '{"role":"admin"}', { contentLength: undefined }],
    [json, '{"role":"admin"}', { encoded: true }],
    [json, { id: 12345678901234567890n.toString().length, big: 1e20 }, {}],
    [json, { overflow: Number.POSITIVE_INFINITY }, {}],
    [json, { big: 1n }, {}],
    ["application/json; charset=utf-16", { a: 1 }, {}],
    ['text/plain; charset="iso-8859-1"', "é", { contentLength: 2 }],
    [form, { a: ["1"] }, {}],
    [form, { a: { b: "1" } }, {}],
    [`${form}; charset=iso-8859-1`, { a: "é" }, {}],
  ])("%s: %o cannot be made again", (type, body, more) => {
    expect(serialiseBody(parsed(type, body, more))).toBeUndefined();
  });
});

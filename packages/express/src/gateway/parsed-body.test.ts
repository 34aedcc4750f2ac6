import { describe, expect, it } from "vitest";
import { serialiseBody } from "./parsed-body.ts";

const form = "application/x-www-form-urlencoded";

describe("serialiseBody", () => {
  it.each([
    ["application/json", { a: [1, null, "é"] }, '{"a":[1,null,"é"]}'],
    ["APPLICATION/JSON; charset=utf-8", "already text", "already text"],
    ["application/problem+json", [], "[]"],
    [form, { a: "1", b: ["2", "3"], c: { d: "4 &=" } }, "a=1&b=2&b=3&c%5Bd%5D=4+%26%3D"],
    [form, { list: [{ x: "1" }, { x: "2" }] }, "list%5B0%5D%5Bx%5D=1&list%5B1%5D%5Bx%5D=2"],
    [form, {}, ""],
    ["image/png", Buffer.from("bytes"), "bytes"],
  ])("%s: %j", (type, body, text) => {
    expect(serialiseBody(body, type)?.toString()).toBe(text);
  });

  it.each([
    ["multipart/form-data", { a: "1" }],
    ["application/json", undefined],
    [undefined, {}],
  ])("%s: %j cannot be made again", (type, body) => {
    expect(serialiseBody(body, type)).toBeUndefined();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filePath } from "./file-path.ts";

describe("filePath", () => {
  it.each([
    ["/", { name: "", slash: true }],
    ["/a", { name: "a", slash: false }],
    ["/a/b/", { name: "a/b", slash: true }],
    ["/a%20b", { name: "a b", slash: false }],
    ["/gr%C3%BC%C3%9Fe", { name: "grüße", slash: false }],
    ["/a..b", { name: "a..b", slash: false }],
    ["/~me/x%7Ey", { name: "~me/x~y", slash: false }],
    ["/.well-known/security.txt", { name: ".well-known/security.txt", slash: false }],
    [`/${"ü".repeat(127)}`, { name: "ü".repeat(127), slash: false }],
  ])("%s is %o", (path, meant) => {
    expect(filePath(encodeURI(decodeURI(path)), false)).toEqual(meant);
  });

  it.each([
    ...["/static/../app.js", "/..", "/.", "/a/./b", "/%2e%2e/a", "/%2E./a", "/a%2fb", "/..%2fa", "/..%5ca", "/a\\b"],
    ...[
      "/a%00.html",
      "/a%0ab",
      "/a%7f",
      "/a.",
      "/a%20",
      "/a./b",
      "//evil.example",
      "/a//b",
      "/a/%",
      "/%zz",
      "/%ff",
      "/%c0%ae",
    ],
    ...["/%70rivate", "/a%2Eb", "/a%5fb", "/a%2db", "/%31"],
    ...["/.env", "/.git/config", "/a/.htaccess", "/a/.well-known/x", "a", "*", ""],
    ...[`/${"a".repeat(256)}`, `/${"ü".repeat(128)}`, `/${"a/".repeat(1_100)}`],
  ])("BAD-INPUTS 170, 172: %s is nothing", (path) => {
    expect(filePath(path, false)).toBeUndefined();
  });

  it("finds names that begin with a dot where they are asked for, and still nothing above", () => {
    expect(filePath("/.env", true)).toEqual({ name: ".env", slash: false });
    expect(filePath("/..", true)).toBeUndefined();
    expect(filePath("/.../a", true)).toEqual(undefined);
  });

  it("never names anything above the root, and no file by two paths", () => {
    const meant = new Map<string, string>();
    const bits = fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%2f",
      "%5c",
      "\\",
      "a",
      "%61",
      "A",
      "%20",
      " ",
      "%00",
      "é",
      "%c3%a9",
      "~",
    );
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 12 }), (parts) => {
        const path = `/${parts.join("")}`;
        const found = filePath(path, true);
        if (found === undefined) return;
        expect(found.name.split("/")).not.toContain("..");
        expect(found.name).not.toMatch(/^\/|\/\/|\\|\0/);
        // Spellings that mean the same differ in what a browser always encodes.
        const spelling = found.name + (found.slash ? "/" : "");
        const canonical = encodeURI(decodeURI(path)).replaceAll("%7E", "~");
        expect(meant.get(spelling) ?? canonical).toBe(canonical);
        meant.set(spelling, canonical);
      }),
    );
  });
});

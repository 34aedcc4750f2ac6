import { describe, expect, it } from "vitest";
import { isNavigation, wishOf } from "./request-wish.ts";

function asking(given: Record<string, string>) {
  return { method: "GET", target: "/", fields: given, header: (name: string) => given[name] };
}

describe("wishOf", () => {
  it("says what header fields say, once for those that are repeated", () => {
    const request = asking({ "accept-encoding": "br", accept: "text/html" });
    const wish = wishOf(request);
    expect(wish).toMatchObject({ codings: [{ name: "br" }], navigates: true, particular: false });
    expect(wishOf({ ...request, target: "/other" })).toBe(wish);
  });

  it.each(["if-none-match", "if-modified-since", "range", "if-match", "if-unmodified-since"])(
    "knows that %s makes a difference",
    (name) => {
      expect(wishOf(asking({ [name]: "" })).particular).toBe(true);
    },
  );

  it("has one list of codings for all who take the same", () => {
    const browser = wishOf(asking({ "accept-encoding": "gzip, deflate, br" }));
    expect(wishOf(asking({ "accept-encoding": "br,gzip" })).codings).toBe(browser.codings);
  });
});

describe("isNavigation", () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  it.each([
    [browser, undefined, true],
    [browser, "navigate", true],
    [browser, "cors", false],
    ["*/*", undefined, false],
    ["*/*", "navigate", false],
    [undefined, undefined, false],
    ["application/json, text/html;q=0.1", undefined, true],
    ["application/json, text/html;q=0", undefined, false],
    ["text/html5", undefined, false],
  ])("%s, %s: %s", (accept, mode, navigates) => {
    expect(isNavigation(accept, mode)).toBe(navigates);
  });
});

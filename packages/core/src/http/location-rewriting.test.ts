import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BackendPlace, rewriteLocation, rewriteRefresh } from "./location-rewriting.ts";

const place: BackendPlace = {
  backendAuthorities: ["10.0.0.1:3000"],
  clientAuthority: "app.example",
  backendPath: "",
  clientPath: "/api",
};
const based: BackendPlace = { ...place, backendPath: "/base", clientPath: "/api" };
const baseAlone: BackendPlace = { ...place, backendPath: "/base", clientPath: "" };
const root: BackendPlace = { ...place, clientPath: "" };

describe("rewriteLocation", () => {
  it.each([
    ["/login?next=%2Fx#top", "/api/login?next=%2Fx#top"],
    ["/", "/api/"],
    ["http://10.0.0.1:3000/login", "/api/login"],
    ["https://10.0.0.1:3000", "/api/"],
    ["HTTP://10.0.0.1:3000?x", "/api/?x"],
    ["//10.0.0.1:3000/login", "/api/login"],
    ["https://app.example/login", "https://app.example/api/login"],
    ["https://APP.example:443?x", "https://APP.example:443/api/?x"],
    // Another port is another place, and so is another host.
    ["http://10.0.0.1:3001/login", "http://10.0.0.1:3001/login"],
    ["https://accounts.example/login", "https://accounts.example/login"],
    ["https://app.example@evil.example/", "https://app.example@evil.example/"],
    ["//evil.example/login", "//evil.example/login"],
    // What is relative goes along with the path.
    ["next", "next"],
    ["../up", "../up"],
    ["?page=2", "?page=2"],
    ["", ""],
    ["mailto:a@b.example", "mailto:a@b.example"],
    // The app knows where it is mounted.
    ["/api/login", "/api/login"],
    ["/api", "/api"],
    ["/apis", "/api/apis"],
  ])("%s under a prefix: %s", (given, made) => {
    expect(rewriteLocation(given, place)).toBe(made);
  });

  it.each([
    ["/base/login", "/api/login"],
    ["/base", "/api"],
    ["/base?x", "/api?x"],
    ["/based", "/based"],
    ["/elsewhere", "/elsewhere"],
    ["http://10.0.0.1:3000/base/x", "/api/x"],
    ["http://10.0.0.1:3000/x", "/x"],
    ["https://app.example/base/x", "https://app.example/api/x"],
  ])("%s of a backend with a base path: %s", (given, made) => {
    expect(rewriteLocation(given, based)).toBe(made);
  });

  it("takes a base path off", () => {
    expect(rewriteLocation("/base", baseAlone)).toBe("/");
    expect(rewriteLocation("/base?x", baseAlone)).toBe("/?x");
    expect(rewriteLocation("/base/x", baseAlone)).toBe("/x");
  });

  it("a path with two slashes of the backend's does not become another host (BAD-INPUTS 178)", () => {
    for (const slashes of ["//", "/\\", "\\/", "\\\\"]) {
      const made = rewriteLocation(`http://10.0.0.1:3000${slashes}evil.example/x`, root);
      expect(new URL(made, "https://app.example/").host).toBe("app.example");
    }
    expect(rewriteLocation("/base//evil.example/x", baseAlone)).toBe("/.//evil.example/x");
  });

  it("sends no client to another host than the backend named, whatever it wrote", () => {
    const part = fc.constantFrom(
      "http:",
      "https:",
      "//",
      "/",
      "\\",
      "10.0.0.1:3000",
      "app.example",
      "evil.example",
      "base",
      "api",
      "?",
      "#",
      "@",
      ".",
      "x",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.constantFrom(place, based, baseAlone, root), (parts, at) => {
        const given = parts.join("");
        const asked = "http://app.example/api/here";
        const hostOf = (location: string) =>
          URL.canParse(location, asked) ? new URL(location, asked).host : undefined;
        const [before, after] = [hostOf(given), hostOf(rewriteLocation(given, at))];
        if (before === undefined) return;
        expect(after).toBe(before === "10.0.0.1:3000" && after === "app.example" ? "app.example" : before);
      }),
    );
  });
});

describe("rewriteRefresh", () => {
  it.each([
    ["5; url=/next", "5; url=/api/next"],
    ['0;URL="http://10.0.0.1:3000/next"', '0;URL="/api/next"'],
    ["0, url='https://elsewhere.example/'", "0, url='https://elsewhere.example/'"],
    ["5", "5"],
    ["nonsense", "nonsense"],
  ])("%s: %s", (given, made) => {
    expect(rewriteRefresh(given, place)).toBe(made);
  });
});

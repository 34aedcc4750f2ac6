import { describe, expect, it } from "vitest";
import { clientCookiePath, rewriteCookie } from "./cookie-rewriting.ts";

const rules = {
  path: (path: string) => `/api${path === "/" ? "" : path}`,
  domain: (domain: string) => (domain === ".internal.example" ? undefined : "app.example"),
};

describe("rewriteCookie", () => {
  it.each([
    ["a=1; Path=/x; HttpOnly", "a=1; Path=/api/x; HttpOnly"],
    ["a=1;path=/", "a=1;path=/api"],
    ["a=1; Domain=.internal.example; Secure", "a=1; Secure"],
    ["a=1; DOMAIN = other.example ; Path = / ", "a=1; DOMAIN = app.example ; Path = /api "],
    // A value may hold what looks like an attribute, and attributes may come twice.
    ["path=/x", "path=/x"],
    ["a=1; Path=/x; Path=/y", "a=1; Path=/api/x; Path=/api/y"],
    ["a=1; Path=; Domain=", "a=1; Path=; Domain="],
    ["a=1; Path=x", "a=1; Path=x"],
    ["a=1; Pathology=/x; Secure; SameSite=None; Partitioned", "a=1; Pathology=/x; Secure; SameSite=None; Partitioned"],
    ["__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"],
    ["__Secure-a=1; Path=/; Secure", "__Secure-a=1; Path=/api; Secure"],
    ["", ""],
  ])("%s: %s", (given, made) => {
    expect(rewriteCookie(given, rules)).toBe(made);
  });
});

describe("clientCookiePath", () => {
  it.each([
    ["/", "", "/api", "/api"],
    ["/x", "", "/api", "/api/x"],
    ["/", "/base", "/api", "/api"],
    ["/base/", "/base", "/api", "/api"],
    ["/base/x", "/base", "/api", "/api/x"],
    ["/other", "/base", "/api", "/other"],
    ["/", "/base", "", "/"],
    ["/base", "/base", "", "/"],
    ["/", "", "", "/"],
  ])("%s of a backend at %s, for clients at %s: %s", (path, backendPath, clientPath, made) => {
    const place = { backendAuthorities: [], clientAuthority: undefined, backendPath, clientPath };
    expect(clientCookiePath(path, place)).toBe(made);
  });
});

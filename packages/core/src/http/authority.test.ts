import { describe, expect, it } from "vitest";
import { isAuthority } from "./authority.ts";

describe("a host with a port or without", () => {
  it.each([
    "a",
    "a.example:80",
    "my_service:3000",
    "127.0.0.1",
    "[::]",
    "[::1]:65535",
    "[1:2:3:4:5:6:7:8]",
    "[1::8]",
    "[::ffff:192.0.2.1]",
    "[1:2:3:4:5:6:192.0.2.1]",
    "[ABCD:ef01::]",
  ])("%s is one", (text) => {
    expect(isAuthority(text)).toBe(true);
  });

  it.each([
    "",
    ":80",
    "a:",
    "a:65536",
    "a:80a",
    "a@b",
    "a b",
    "a,b",
    "a%41",
    "[ab..cd::1]",
    "[]",
    "[::1",
    "[::1]x",
    "[1:2:3]",
    "[1:2:3:4:5:6:7:8:9]",
    "[1:2:3:4:5:6:7::8]",
    "[1::2::3]",
    "[:::]",
    "[12345::]",
    "[:1:2:3:4:5:6:7]",
    "[::192.0.2.256]",
    "[::192.0.2.1:1]",
    "[fe80::1%eth0]",
    "[v1.a]",
  ])("%s is none", (text) => {
    expect(isAuthority(text)).toBe(false);
  });
});

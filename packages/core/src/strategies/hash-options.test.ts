import { expect, test } from "vitest";
import { parseHashOptions } from "./hash-options.ts";

const options = { random: () => 0.5 };

test("requests of one key have one hash, and different keys most likely different ones", () => {
  const { keyHash } = parseHashOptions("maglev", { ...options, key: ({ target }) => target });
  expect(keyHash({ target: "/a" })).toBe(keyHash({ target: "/a" }));
  expect(keyHash({ target: "/a" })).not.toBe(keyHash({ target: "/b" }));
});

test("a request without a key, or whose key cannot be found, gets a random one", () => {
  const broken = (): string => {
    throw new Error("the client sent something unexpected");
  };
  for (const key of [() => undefined, () => "", broken]) {
    expect(parseHashOptions("maglev", { ...options, key }).keyHash({})).toBe(2 ** 31);
  }
});

test("what is not a function is refused", () => {
  expect(() => parseHashOptions("maglev", { key: "cookie" as never })).toThrow(/maglev\.key/);
});

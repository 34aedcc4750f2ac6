import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { type Yaml, yaml } from "./yaml.ts";

test("reads like written by hand", () => {
  const text = yaml({
    name: "shop",
    ports: ["127.0.0.1:80:80"],
    on: "on",
    config: "a\n  b\n",
    list: [{ a: 1, b: [true] }, {}],
    gone: undefined,
  });
  expect(text).toBe(`name: shop
ports:
- "127.0.0.1:80:80"
"on": "on"
config: |
  a
    b
list:
- a: 1
  b:
  - true
- {}
`);
});

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom("a", " ", "\n", ":", "#", "-", "'", '"', "~", "%", "\\", "\t") }),
  fc.constantFrom("no", "12", "1:30", "0x1f", "~", "a: b", "- a", "|", "2026-11-27", "1e3", ".5", "\u2028"),
);
const { any } = fc.letrec<{ any: Yaml }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    texts,
    fc.boolean(),
    fc.integer(),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(
      texts.filter((key) => key !== "__proto__"),
      tie("any"),
      { maxKeys: 3, noNullPrototype: true },
    ),
  ),
}));

test("says the same to whoever reads YAML 1.1 and 1.2", () => {
  fc.assert(
    fc.property(
      any.filter((data) => typeof data === "object"),
      (data) => {
        expect(parse(yaml(data))).toEqual(data);
        expect(parse(yaml(data), { version: "1.1" })).toEqual(data);
      },
    ),
  );
});

import { parseEnv } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readEnvText } from "./env-syntax.ts";

test.each([
  ["", {}],
  [
    "\uFEFFA=1\n# a note\n\n  B=1\nexport C = two words # and a note\nD=\n",
    { line: 1, what: "is part of another variable to Node's parser" },
  ],
  ["# a note\n\n  A=1\nexport B = two words # and a note\nC=\n", { A: "1", B: "two words", C: "" }],
  ["A='one'\nB=\"two\nlines = 2\"\nC=`x'\"y` # note", { A: "one", B: "two\nlines = 2", C: "x'\"y" }],
  ["A=1\r\nB=2\r\n", { A: "1", B: "2" }],
  ["NEXT.PUBLIC-URL=https://a/?b=c", { "NEXT.PUBLIC-URL": "https://a/?b=c" }],
  ["A=1\nSECRET\nB=2", { line: 2, what: "has no =" }],
  ["A=1\n\n=2", { line: 3, what: "has no name of a variable before the =" }],
  ["two words=2", { line: 1, what: "has no name of a variable before the =" }],
  ['A="one\nB=2\n', { line: 1, what: 'has a " that is never closed' }],
  ["A=1\nB='x' y\n", { line: 2, what: "has more behind the closing '" }],
  ["A=\u0000", { line: 1, what: "is no text" }],
  // Node takes the next line for the value.
  ["A=1\nB= \nC=2", { line: 3, what: "is part of another variable to Node's parser" }],
])("%j", (text, expected) => {
  const read = readEnvText(text);
  expect("fault" in read ? read.fault : { ...read.variables }).toEqual(expected);
});

test("whatever the text is: variables as Node's parser has them, or a line that is there", () => {
  const line = fc.oneof(
    fc.stringMatching(/^(export )?[A-Z_]{1,3} ?= ?[a-z"'`#= ]{0,8}$/),
    fc.stringMatching(/^[A-Z#=a-z "'`]{0,10}$/),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const text = lines.join("\n");
      const read = readEnvText(text);
      if ("fault" in read) expect(lines.length).toBeGreaterThanOrEqual(read.fault.line);
      else expect(read.variables).toEqual(parseEnv(text));
    }),
    { numRuns: 2_000 },
  );
});

test("what is written is read, in each of the ways to write it", () => {
  const written = fc.tuple(
    fc.stringMatching(/^[A-Z][A-Z_]{0,5}$/),
    fc.stringMatching(/^[a-z=# \n]{0,9}$/),
    fc.constantFrom("'", '"', "`"),
    fc.constantFrom("", "export "),
  );
  fc.assert(
    fc.property(fc.uniqueArray(written, { selector: ([name]) => name, maxLength: 5 }), (all) => {
      const text = all
        .map(([name, value, quote, word]) => `${word}${name}=${quote}${value}${quote} # a note`)
        .join("\n");
      expect(readEnvText(text)).toEqual({ variables: Object.fromEntries(all.map(([name, value]) => [name, value])) });
    }),
  );
});

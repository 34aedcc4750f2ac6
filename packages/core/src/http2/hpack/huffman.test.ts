import { expect, test } from "vitest";
import { decodeHuffman } from "./huffman.ts";

function decoded(bits: string): string | undefined {
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
  const target = Buffer.alloc(1_000);
  const length = decodeHuffman(bytes, 0, bytes.length, target);
  return length === -1 ? undefined : target.toString("latin1", 0, length);
}

const padded = (bits: string) => bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");

// Some of RFC 7541, Appendix B, of each length.
test.each([
  ["0", "00000"],
  ["t", "01001"],
  [" ", "010100"],
  ["u", "101101"],
  [":", "1011100"],
  ["z", "1111011"],
  ["&", "11111000"],
  ["Z", "11111101"],
  ["?", "1111111100"],
  ["|", "11111111100"],
  [">", "111111111011"],
  ["~", "1111111111101"],
  ["}", "11111111111101"],
  ["{", "111111111111110"],
  ["\\", "1111111111111110000"],
  ["\x80", "11111111111111100110"],
  ["\xe6", "111111111111111101000"],
  ["\x81", "1111111111111111010010"],
  ["\xe7", "11111111111111111110011"],
  ["\t", "111111111111111111101010"],
  ["\xcf", "1111111111111111111101101"],
  ["\xff", "11111111111111111111101110"],
  ["\xfe", "111111111111111111111110000"],
  ["\xf9", "1111111111111111111111111110"],
  ["\n", "111111111111111111111111111100"],
  ["\x16", "111111111111111111111111111110"],
])("%j is %s", (octet, code) => {
  expect(decoded(padded(code))).toBe(octet);
  expect(decoded(padded(`00011${code}00011`))).toBe(`a${octet}a`);
});

test("padding is up to seven bits of 1, and EOS is not there (RFC 7541 §5.2)", () => {
  expect(decoded("")).toBe("");
  expect(decoded("00000111")).toBe("0");
  expect(decoded("00000110")).toBeUndefined();
  expect(decoded("11111111")).toBeUndefined();
  expect(decoded("0000011111111111")).toBeUndefined();
  expect(decoded("1".repeat(32))).toBeUndefined();
  expect(decoded(`${"1".repeat(30)}00000111111`)).toBeUndefined();
});

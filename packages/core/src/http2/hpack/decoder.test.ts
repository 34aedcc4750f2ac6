import { describe, expect, test } from "vitest";
import { hpackInteger } from "../../../test/support/http2-frames.ts";
import { HpackDecoder, type HpackLimits } from "./decoder.ts";

const limits: HpackLimits = { maxTableBytes: 4_096, maxListBytes: 32_768, maxFields: 100 };

/** Blocks in hexadecimal, one after the other; undefined for one that is none. */
function lists(blocks: readonly string[], some: Partial<HpackLimits> = {}): (string[] | undefined)[] {
  const decoder = new HpackDecoder({ ...limits, ...some });
  return blocks.map((hex) => {
    const bytes = Buffer.from(`ff${hex.replaceAll(" ", "")}ff`, "hex");
    return decoder.decode(bytes, 1, bytes.length - 1)?.fields.map(({ name, value }) => `${name}: ${value}`);
  });
}

const get = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const second = [...get, "cache-control: no-cache"];
const third = [
  ...[":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com"],
  "custom-key: custom-value",
];
const found = [
  ":status: 302",
  "cache-control: private",
  "date: Mon, 21 Oct 2013 20:13:21 GMT",
  "location: https://www.example.com",
];
const cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const responses = [
  found,
  [":status: 307", ...found.slice(1)],
  [":status: 200", found[1], "date: Mon, 21 Oct 2013 20:13:22 GMT", found[3], "content-encoding: gzip", cookie],
];

describe("RFC 7541, Appendix C", () => {
  test.each([
    [
      "C.2.1: a literal with indexing",
      "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
      "custom-key: custom-header",
    ],
    ["C.2.2: a literal without indexing", "040c2f73616d706c652f70617468", ":path: /sample/path"],
    ["C.2.3: a literal never indexed", "100870617373776f726406736563726574", "password: secret"],
    ["C.2.4: an indexed field", "82", ":method: GET"],
  ])("%s", (_name, block, field) => {
    expect(lists([block])).toEqual([[field]]);
  });

  test("C.3: requests without Huffman's code", () => {
    const blocks = [
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ];
    expect(lists(blocks)).toEqual([get, second, third]);
  });

  test("C.4: requests with Huffman's code", () => {
    const blocks = [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ];
    expect(lists(blocks)).toEqual([get, second, third]);
  });

  test("C.5: responses without Huffman's code, and a table of 256 octets, from which fields are evicted", () => {
    const blocks = [
      `4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17
       68747470733a2f2f7777772e6578616d706c652e636f6d`,
      "4803333037c1c0bf",
      `88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d41
       53444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31`,
    ].map((hex) => hex.replaceAll(/\s/g, ""));
    expect(lists(blocks, { maxTableBytes: 256 })).toEqual(responses);
  });

  test("C.6: the same with Huffman's code", () => {
    const blocks = [
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      `88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960
       d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007`,
    ].map((hex) => hex.replaceAll(/\s/g, ""));
    expect(lists(blocks, { maxTableBytes: 256 })).toEqual(responses);
  });
});

describe("what is no block", () => {
  test.each([
    ["index 0", "80"],
    ["an index beyond both tables", "be"],
    ["the name of an index beyond both tables", "7f00 0161"],
    ["a number that does not end", "ff ffffff"],
    ["a number too large", "ff ffffffff7f"],
    ["a number with octets that say nothing, without end", `ff ${"80".repeat(20)}00`],
    ["a name longer than the block", "00 05 6162"],
    ["a value longer than the block", "00 0161 05 62"],
    ["a name without a value", "00 0161"],
    ["a literal without anything", "40"],
    ["Huffman's code with EOS in it", "00 0161 84 ffffffff"],
    ["Huffman's code padded with zeros", "00 0161 81 00"],
    ["Huffman's code padded with more than seven bits", "00 0161 82 07ff"],
    ["a table larger than was allowed", "3fe21f"],
    ["a change of the table's size behind a field", "82 20"],
  ])("%s", (_name, block) => {
    expect(lists([block])).toEqual([undefined]);
  });
});

describe("tables", () => {
  const indexed = "4001610162";

  test("a smaller one evicts, and may grow again to what was allowed", () => {
    expect(lists([indexed, "be", "20", "be"])).toEqual([["a: b"], ["a: b"], [], undefined]);
    expect(lists(["20 3fe11f", indexed, "be"])).toEqual([[], ["a: b"], ["a: b"]]);
  });

  test("a field larger than the table empties it, and is a field all the same (RFC 7541 §4.4)", () => {
    const large = `40 0178 7f01 ${"79".repeat(128)}`;
    expect(lists([indexed, large, "be"], { maxTableBytes: 100 })).toEqual([
      ["a: b"],
      [`x: ${"y".repeat(128)}`],
      undefined,
    ]);
  });

  test("a name may be that of a field which the new one evicts (RFC 7541 §4.4)", () => {
    expect(lists([indexed, "7e 02 6363", "be bf"], { maxTableBytes: 40 })).toEqual([["a: b"], ["a: cc"], undefined]);
  });
});

describe("bounds", () => {
  test("what is beyond them is not kept, but has its place in the table", () => {
    const decoder = new HpackDecoder({ ...limits, maxFields: 2 });
    const block = Buffer.from("82864001610162", "hex");
    const list = decoder.decode(block, 0, block.length);
    expect(list).toMatchObject({ tooLarge: true });
    expect(list?.fields).toHaveLength(2);
    expect(decoder.decode(Buffer.of(0xbe), 0, 1)).toMatchObject({
      tooLarge: false,
      fields: [{ name: "a", value: "b" }],
    });
  });

  test("fields count for 32 octets besides their own, whatever the block's length", () => {
    const decoder = new HpackDecoder({ ...limits, maxListBytes: 4 * 42 - 1 });
    expect(decoder.decode(Buffer.of(0x82, 0x82, 0x82), 0, 3)).toMatchObject({ tooLarge: false });
    expect(decoder.decode(Buffer.of(0x82, 0x82, 0x82, 0x82), 0, 4)).toMatchObject({ tooLarge: true });
  });

  test("a long string in Huffman's code", () => {
    const decoder = new HpackDecoder({ ...limits, maxListBytes: 1_000_000 });
    const zeros = Buffer.alloc(50_000);
    const block = Buffer.concat([Buffer.from("000161", "hex"), hpackInteger(zeros.length, 7, 0x80), zeros]);
    expect(decoder.decode(block, 0, block.length)?.fields[0]?.value).toBe("0".repeat(80_000));
  });
});

describe("the same octets again", () => {
  const block = (hex: string) => Buffer.from(hex, "hex");
  const read = (decoder: HpackDecoder, hex: string) => decoder.decode(block(hex), 0, hex.length / 2);

  test("are the same list, as long as the table is", () => {
    const decoder = new HpackDecoder(limits);
    read(decoder, "4001610162");
    const list = read(decoder, "82be");
    expect(read(decoder, "82be")).toBe(list);
    expect(read(decoder, "82")).not.toBe(list);
    const again = read(decoder, "82be");
    expect(again).toEqual(list);
    // What index 62 means has changed.
    read(decoder, "4001630164");
    expect(read(decoder, "82be")?.fields.map(({ name }) => name)).toEqual([":method", "c"]);
    expect(read(decoder, "82bf")?.fields.map(({ name }) => name)).toEqual([":method", "a"]);
  });

  test("are not, if they change the table themselves", () => {
    const decoder = new HpackDecoder(limits);
    const hex = "4001610162";
    expect(read(decoder, hex)).not.toBe(read(decoder, hex));
    expect(read(decoder, "bebf")?.fields.map(({ value }) => value)).toEqual(["b", "b"]);
    const emptying = "2082";
    expect(read(decoder, emptying)).not.toBe(read(decoder, emptying));
    expect(read(decoder, "be")).toBeUndefined();
  });
});

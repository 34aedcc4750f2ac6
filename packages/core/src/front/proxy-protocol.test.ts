import { expect, test } from "vitest";
import { normaliseAddress } from "../http/address.ts";
import { ownProxyHeader, proxyHeader } from "../http/proxy-header.ts";
import { type ProxyHeader, readProxyHeader } from "./proxy-protocol.ts";

const line = (text: string) => readProxyHeader(Buffer.from(text, "latin1"));
const header = (length: number, address?: string, port?: number): ProxyHeader => ({
  kind: "header",
  length,
  peer: address === undefined ? undefined : { address, port: port! },
});

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
/** Command and version, family and protocol, payload; `length` if it is to be another than the payload has. */
function binary(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([signature, fixed, payload]);
}
const ipv4 = Buffer.from([192, 0, 2, 7, 10, 0, 0, 1, 0xd4, 0x31, 0x01, 0xbb]);
const ipv6 = Buffer.concat([
  Buffer.from("20010db8000000000000000000000007", "hex"),
  Buffer.alloc(16),
  Buffer.from([0xd4, 0x31, 0x01, 0xbb]),
]);
const tlv = (type: number, value: Buffer) => Buffer.concat([Buffer.from([type, 0, value.length]), value]);

test("version 1: the source is whom the proxy has accepted; what follows is not looked at", () => {
  const text = "PROXY TCP4 192.0.2.7 10.0.0.1 54321 443\r\n";
  expect(line(`${text}GET / HTTP/1.1\r\n`)).toEqual(header(text.length, "192.0.2.7", 54_321));
  const six = "PROXY TCP6 2001:db8::7 ::1 54321 443\r\n";
  expect(line(six)).toEqual(header(six.length, "2001:db8::7", 54_321));
  const unknown = "PROXY UNKNOWN ffff:f...f:ffff 65535\r\n";
  expect(line(unknown)).toEqual(header(unknown.length));
});

test("version 2: addresses, TLVs, LOCAL, UNIX and unspecified", () => {
  expect(readProxyHeader(binary(0x21, 0x11, ipv4))).toEqual(header(28, "192.0.2.7", 54_321));
  expect(readProxyHeader(binary(0x21, 0x21, ipv6))).toEqual(header(52, "2001:db8::7", 54_321));
  const more = Buffer.concat([ipv4, tlv(0x02, Buffer.from("a.example")), tlv(0x04, Buffer.alloc(0))]);
  expect(readProxyHeader(Buffer.concat([binary(0x21, 0x11, more), Buffer.from("GET /")]))).toEqual(
    header(16 + more.length, "192.0.2.7", 54_321),
  );
  expect(readProxyHeader(binary(0x20, 0x00, Buffer.from("whatever")))).toEqual(header(24));
  expect(readProxyHeader(binary(0x21, 0x31, Buffer.alloc(216)))).toEqual(header(232));
  expect(readProxyHeader(binary(0x21, 0x00, Buffer.alloc(0)))).toEqual(header(16));
});

test("in pieces it may become one, at every byte", () => {
  for (const whole of [Buffer.from("PROXY TCP4 192.0.2.7 10.0.0.1 54321 443\r\n"), binary(0x21, 0x11, ipv4)]) {
    for (let length = 0; length < whole.length; length++) {
      expect(readProxyHeader(whole.subarray(0, length))).toEqual({ kind: "partial" });
    }
    expect(readProxyHeader(whole)).toEqual(header(whole.length, "192.0.2.7", 54_321));
  }
});

test.each([
  ["BAD-INPUTS 166: no header", "GET / HTTP/1.1\r\n"],
  ["BAD-INPUTS 167: a line over 107 bytes", `PROXY UNKNOWN ${"x".repeat(100)}\r\n`],
  ["BAD-INPUTS 167: an unknown family", "PROXY TCP5 192.0.2.7 10.0.0.1 1 2\r\n"],
  ["a name of Object's in the place of a family", "PROXY toString 192.0.2.7 10.0.0.1 1 2\r\n"],
  ["addresses of the other family", "PROXY TCP4 ::1 ::1 1 2\r\n"],
  ["a port beyond", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n"],
  ["a port with zeros before it", "PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n"],
  ["a word too many", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n"],
  ["two spaces", "PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n"],
  ["octal", "PROXY TCP4 192.0.02.7 10.0.0.1 1 2\r\n"],
  ["lower case", "proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n"],
])("is none: %s", (_, text) => {
  expect(line(text)).toEqual({ kind: "invalid" });
});

test.each([
  ["version 1 in the binary form", binary(0x11, 0x11, ipv4)],
  ["an unknown command", binary(0x22, 0x11, ipv4)],
  ["BAD-INPUTS 167: an unknown family", binary(0x21, 0x41, ipv4)],
  ["an unknown protocol", binary(0x21, 0x13, ipv4)],
  ["BAD-INPUTS 167: shorter than its addresses", binary(0x21, 0x11, ipv4.subarray(0, 8))],
  ["longer than is read", binary(0x21, 0x11, ipv4, 65_535)],
  ["BAD-INPUTS 168: a TLV that overruns", binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 0, 9, 1])]))],
  ["BAD-INPUTS 168: half a TLV", binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 0])]))],
])("is none: %s", (_, bytes) => {
  expect(readProxyHeader(bytes)).toEqual({ kind: "invalid" });
});

test("what we write ourselves is read, whatever the addresses, and with all that may follow them", () => {
  const tls = { version: "TLSv1.3", cipher: "X", protocol: "h2", serverName: "a".repeat(9_000), commonName: "me" };
  for (const [address, local] of [
    ["192.0.2.1", "198.51.100.7"],
    ["2001:db8::1", "::"],
    ["192.0.2.1", "fd00::1"],
    ["::", "10.0.0.1"],
    ["fe80::1:2:3:4", ""],
    ["", ""],
  ] as const) {
    const client = { address, port: address === "" ? 0 : 65_535, localAddress: local, localPort: 80 };
    for (const header of [proxyHeader({ ...client, tls: undefined }), proxyHeader({ ...client, tls })]) {
      const read = readProxyHeader(Buffer.concat([header, Buffer.from("GET /")]));
      if (read.kind !== "header") throw new Error(read.kind);
      expect(read.length).toBe(header.length);
      const shown = read.peer && { ...read.peer, address: normaliseAddress(read.peer.address) };
      expect(shown).toEqual(address === "" ? undefined : { address, port: 65_535 });
    }
  }
});

test("a connection of our own is nobody's", () => {
  expect(readProxyHeader(ownProxyHeader)).toEqual({ kind: "header", length: 16, peer: undefined });
});

// What a line says, and what it does not let itself be made say (BAD-INPUTS 185).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AccessRecord, accessFields } from "../model/access-record.ts";
import { combinedLine } from "./combined-line.ts";
import { shortField } from "./escaping.ts";
import { JsonLine } from "./json-line.ts";
import { redactor } from "./redaction.ts";

const record: AccessRecord = {
  time: Date.UTC(2026, 10, 7, 3, 4, 5, 678),
  id: undefined,
  traceId: undefined,
  spanId: undefined,
  client: "2001:db8::1",
  listener: 0,
  tls: true,
  tlsVersion: "TLSv1.3",
  tlsCipher: "TLS_AES_128_GCM_SHA256",
  method: "GET",
  host: "app.example",
  target: "/a?b=c",
  protocol: "HTTP/1.1",
  status: 200,
  bytesIn: 80,
  bytesOut: 1_234,
  queueMs: 0,
  leaseMs: 0.012_345,
  firstByteMs: 1.5,
  totalMs: 2,
  attempts: 1,
  instance: 2,
  endpoint: undefined,
  backend: undefined,
  route: undefined,
  answeredBy: "app",
  reason: undefined,
  end: "complete",
  referer: undefined,
  userAgent: "curl/8",
};

const texts = [
  "id",
  "client",
  "method",
  "host",
  "target",
  "endpoint",
  "backend",
  "route",
  "referer",
  "userAgent",
] as const;
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  // Octets, one a character, as fields are read; and halves of pairs.
  fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
  fc.string({ unit: fc.integer({ min: 0xd700, max: 0xe000 }).map((code) => String.fromCharCode(code)) }),
  fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\0", "\u007f", "\u2028", "a") }),
);

const jsonLine = (line: AccessRecord) => new JsonLine(accessFields).text(line);

describe("a line of JSON", () => {
  it("has what is known, in order, and nothing else", () => {
    expect(jsonLine(record)).toBe(
      '{"time":"2026-11-07T03:04:05.678Z","client":"2001:db8::1","listener":0,"tls":true,"tlsVersion":"TLSv1.3","tlsCipher":"TLS_AES_128_GCM_SHA256","method":"GET","host":"app.example",' +
        '"target":"/a?b=c","protocol":"HTTP/1.1","status":200,"bytesIn":80,"bytesOut":1234,"queueMs":0,"leaseMs":0.012,' +
        '"firstByteMs":1.500,"totalMs":2,"attempts":1,"instance":2,"answeredBy":"app","end":"complete","userAgent":"curl/8"}',
    );
    expect(new JsonLine(["status", "route", "target"]).text(record)).toBe('{"status":200,"target":"/a?b=c"}');
  });

  it("says what JSON.stringify would, whatever stands in it, within the room that it asks for (BAD-INPUTS 185)", () => {
    const json = new JsonLine(accessFields);
    const some = fc.record(Object.fromEntries(texts.map((name) => [name, anyText])));
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 4 }), (all) => {
        for (const given of all) {
          const told = { ...record, ...given } as AccessRecord;
          const bytes = Buffer.alloc(json.maxBytes(told), 0xff);
          const text = bytes.toString("utf8", 0, json.write(told, bytes, 0));
          const plain = Object.fromEntries(texts.map((name) => [name, given[name]]));
          expect(JSON.parse(text)).toMatchObject(JSON.parse(JSON.stringify(plain)));
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        }
      }),
    );
  });

  it("has numbers as they are, spans to the microsecond, and what changes from one line to the next", () => {
    const numbers = [0, 9, 10, 99, 100, 12_345, 999_999_999, 1_000_000_000, 2 ** 40];
    const lines = new JsonLine(["client", "listener", "tls", "method", "host", "bytesOut", "totalMs"]);
    const spans = [0, 0.000_4, 0.000_6, 0.999_6, 9.05, 10, 123.456_4, 86_400_000.5, 2 ** 32];
    const told = numbers.map((bytesOut, at) =>
      JSON.parse(lines.text({ ...record, bytesOut, totalMs: spans[at], host: at % 3 === 0 ? "other.example" : "a" })),
    );
    expect(told.map(({ bytesOut }) => bytesOut)).toEqual(numbers);
    expect(told.map(({ totalMs }) => totalMs)).toEqual([0, 0, 0.001, 1, 9.05, 10, 123.456, 86_400_000.5, 2 ** 32]);
    expect(told.map(({ host }) => host)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => (at % 3 ? "a" : "other.example")),
    );
    expect(new JsonLine(["time"]).text({ ...record, time: Date.UTC(2026, 11, 31, 23, 59, 59, 7) + 0.9 })).toBe(
      '{"time":"2026-12-31T23:59:59.007Z"}',
    );
    expect(new JsonLine(["route"]).text(record)).toBe("{}");
  });

  it("finds room for all that a client can make long", () => {
    const long = "\u0001".repeat(20_000);
    expect(JSON.parse(jsonLine({ ...record, target: long, host: long, userAgent: long }))).toMatchObject({
      ...{ target: long, host: long, userAgent: long },
    });
  });

  it("is one line and no order to a terminal, and is read as what was sent (BAD-INPUTS 185)", () => {
    const nasty = 'a"b\\c\n\r\u001b[31m\u0000\u007f\u009b2J\u2028\u202e\ud800 ü';
    const line = jsonLine({ ...record, userAgent: nasty });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(JSON.parse(line).userAgent).toBe(nasty);
  });
});

describe("a line as nginx and Apache write it", () => {
  it("has the nine parts", () => {
    expect(combinedLine(record)).toBe(
      '2001:db8::1 - - [07/Nov/2026:03:04:05 +0000] "GET /a?b=c HTTP/1.1" 200 1234 "-" "curl/8"',
    );
  });

  it("has 499 for a client that left without a response, and - for what was no request", () => {
    expect(combinedLine({ ...record, status: undefined })).toContain('HTTP/1.1" 499 ');
    expect(combinedLine({ ...record, method: undefined, status: 400 })).toContain('] "-" 400 ');
  });

  it("lets nobody out of the quotes (BAD-INPUTS 185)", () => {
    const line = combinedLine({ ...record, referer: 'x" 200 0 "\\', userAgent: "\u001b[2J\nü" });
    expect(line.endsWith('"x\\x22 200 0 \\x22\\x5C" "\\x1B[2J\\x0A\\xC3\\xBC"')).toBe(true);
  });
});

it("a field's octets are told as the text that they are, and not without end", () => {
  expect(shortField(Buffer.from("Käse").toString("latin1"))).toBe("Käse");
  expect(shortField("x".repeat(5_000))).toBe(`${"x".repeat(1_024)}…`);
  const split = shortField(Buffer.from(`${"x".repeat(1_023)}😀`).toString("latin1"))!;
  expect(() => encodeURIComponent(split)).not.toThrow();
});

describe("redaction", () => {
  const redact = redactor(["token", "api_key"])!;

  it.each([
    ["/a?token=s3cret", "/a?token=***"],
    ["/a?b=1&TOKEN=s3cret&c=2", "/a?b=1&TOKEN=***&c=2"],
    ["/a?token=s3cret&token=s3cret;api_key=s3cret#token=s3cret", "/a?token=***&token=***;api_key=***#token=***"],
    ["/a?%74oken=s3cret", "/a?%74oken=***"],
    ["/a?token", "/a?token"],
    ["/a?token=", "/a?token=***"],
    ["/token=1", "/token=1"],
    ["/a?tokens=1&x=token=2", "/a?tokens=1&x=token=2"],
    ["/a?%zz=1&token=s3cret", "/a?%zz=1&token=***"],
    ["https://x.example/?api%5Fkey=s3cret", "https://x.example/?api%5Fkey=***"],
  ])("%s is told as %s", (url, told) => {
    expect(redact(url)).toBe(told);
  });

  it("is none without names", () => {
    expect(redactor([])).toBe(undefined);
  });
});

import { describe, expect, it } from "vitest";
import { badInputs, isRelayed, type RelayedRequest } from "../../test/support/bad-inputs.ts";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { type RequestReading, readRequest, untrustedPeer } from "../../test/support/read-request.ts";
import { FieldScanner } from "./field-scanner.ts";
import { FieldSection } from "./field-section.ts";

describe("bad inputs, read as a whole and octet by octet", () => {
  for (const { row, name, bytes, expect: expected, limits } of badInputs) {
    const answer = isRelayed(expected) ? "relayed" : expected.join(" or ");
    it(`BAD-INPUTS ${row}: ${name} → ${answer}`, () => {
      const input = Buffer.from(bytes, "latin1");
      const options = { limits: { ...defaultHttpLimits, ...limits } };
      const whole = readRequest(input, options);
      if (isRelayed(expected)) expectRelayed(whole, expected);
      else expect(expected).toContain(whole.kind === "rejected" ? whole.rejection.status : whole.kind);
      const octets = Array.from({ length: input.length - 1 }, (_, index) => index + 1);
      const dripped = readRequest(input, { ...options, splits: input.length > 4_096 ? octets.slice(-64) : octets });
      expect(comparable(dripped)).toEqual(comparable(whole));
    });
  }
});

function expectRelayed(reading: RequestReading, expected: RelayedRequest): void {
  if (reading.kind !== "accepted") throw new Error(`Not relayed: ${JSON.stringify(reading)}`);
  const lines = reading.upstreamHead.split("\r\n");
  const [method, target, version] = lines[0]!.split(" ");
  expect(version).toBe("HTTP/1.1");
  if (expected.method !== undefined) expect(method).toBe(expected.method);
  if (expected.target !== undefined) expect(target).toBe(expected.target);
  if (expected.body !== undefined) expect(reading.payload).toBe(expected.body);
  for (const [name, value] of Object.entries(expected.fields ?? {})) {
    const values = lines.slice(1).filter((line) => line.toLowerCase().startsWith(`${name}: `));
    const wanted = value?.replace(":peer", untrustedPeer.peerAddress).replace(":port", String(untrustedPeer.localPort));
    expect(values.map((line) => line.slice(name.length + 2))).toEqual(wanted === undefined ? [] : [wanted]);
  }
}

/** What must not depend on how the bytes arrived. */
function comparable(reading: RequestReading): unknown {
  if (reading.kind !== "accepted") return reading;
  const { upstreamHead, upstreamBody, payload, byteLength } = reading;
  return { upstreamHead, upstreamBody, payload, byteLength };
}

describe("work per octet", () => {
  it("BAD-INPUTS 70: spaces in a header are scanned once, in whatever pieces they come", () => {
    const section = Buffer.from(`X-A:${" ".repeat(32_768)}b\r\n\r\n`, "latin1");
    let reads = 0;
    const counted = new Proxy(section, {
      get(target, property) {
        if (typeof property === "string" && /^\d+$/.test(property)) reads++;
        return Reflect.get(target, property, target);
      },
    });
    const scanner = new FieldScanner(128);
    for (let end = 1; end < section.length; end++) expect(scanner.scan(counted, 0, end)).toBe("incomplete");
    expect(scanner.scan(counted, 0, section.length)).toBe("complete");
    expect(reads).toBeLessThan(4 * section.length);
    expect(new FieldSection(section.toString("latin1").slice(0, -2), scanner.lines).value(0)).toBe("b");
  });
});

import type { AccessField, AccessRecord } from "../model/access-record.ts";
import { isPlain, jsonText } from "./escaping.ts";

/** Writes a field of a record at `at`, beginning with a comma, and tells where it ends; nothing if the field has no value. */
export type FieldWriter = (record: AccessRecord, bytes: Buffer, at: number) => number;

/** No field but texts takes more. */
export const maxPlainBytes = 64;

/** Each with an access of its own, which is faster than one for all names. */
export function writerOf(field: AccessField): FieldWriter {
  const make = new Map<AccessField, FieldWriter>([
    ["time", moment()],
    ["id", text("id", (record) => record.id)],
    ["traceId", text("traceId", (record) => record.traceId)],
    ["spanId", text("spanId", (record) => record.spanId)],
    ["client", text("client", (record) => record.client)],
    ["method", text("method", (record) => record.method)],
    ["host", text("host", (record) => record.host)],
    ["target", text("target", (record) => record.target)],
    ["protocol", text("protocol", (record) => record.protocol)],
    ["endpoint", text("endpoint", (record) => record.endpoint)],
    ["backend", text("backend", (record) => record.backend)],
    ["route", text("route", (record) => record.route)],
    ["referer", text("referer", (record) => record.referer)],
    ["userAgent", text("userAgent", (record) => record.userAgent)],
    ["answeredBy", text("answeredBy", (record) => record.answeredBy)],
    ["reason", text("reason", (record) => record.reason)],
    ["tlsVersion", text("tlsVersion", (record) => record.tlsVersion)],
    ["tlsCipher", text("tlsCipher", (record) => record.tlsCipher)],
    ["end", text("end", (record) => record.end)],
    ["tls", yesOrNo("tls", (record) => record.tls)],
    ["queueMs", span("queueMs", (record) => record.queueMs)],
    ["leaseMs", span("leaseMs", (record) => record.leaseMs)],
    ["firstByteMs", span("firstByteMs", (record) => record.firstByteMs)],
    ["totalMs", span("totalMs", (record) => record.totalMs)],
    ["listener", count("listener", (record) => record.listener)],
    ["status", count("status", (record) => record.status)],
    ["bytesIn", count("bytesIn", (record) => record.bytesIn)],
    ["bytesOut", count("bytesOut", (record) => record.bytesOut)],
    ["attempts", count("attempts", (record) => record.attempts)],
    ["instance", count("instance", (record) => record.instance)],
  ]);
  return make.get(field)!;
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A loop is faster for what is short. */
function put(short: Uint8Array, bytes: Buffer, at: number): number {
  const { length } = short;
  for (let index = 0; index < length; index++) bytes[at + index] = short[index]!;
  return at + length;
}

const quote = 0x22;
const zero = 0x30;
const point = 0x2e;

function text(name: AccessField, of: (record: AccessRecord) => string | undefined): FieldWriter {
  const begin = octets(`,"${name}":`);
  return (record, bytes, from) => {
    const value = of(record);
    if (value === undefined) return from;
    let at = put(begin, bytes, from);
    if (!isPlain(value)) return at + bytes.write(jsonText(value), at);
    bytes[at++] = quote;
    const { length } = value;
    for (let index = 0; index < length; index++) bytes[at + index] = value.charCodeAt(index);
    at += length;
    bytes[at] = quote;
    return at + 1;
  };
}

function yesOrNo(name: AccessField, of: (record: AccessRecord) => boolean): FieldWriter {
  const yes = octets(`,"${name}":true`);
  const no = octets(`,"${name}":false`);
  return (record, bytes, at) => put(of(record) ? yes : no, bytes, at);
}

function count(name: AccessField, of: (record: AccessRecord) => number | undefined): FieldWriter {
  const begin = octets(`,"${name}":`);
  return (record, bytes, at) => {
    const number = of(record);
    return number === undefined ? at : whole(number, bytes, put(begin, bytes, at));
  };
}

/** In milliseconds, to the microsecond. A remainder of a number with a fraction would cost more than all else. */
function span(name: AccessField, of: (record: AccessRecord) => number | undefined): FieldWriter {
  const begin = octets(`,"${name}":`);
  return (record, bytes, from) => {
    const ms = of(record);
    if (ms === undefined) return from;
    const floor = Math.floor(ms);
    const micros = ((ms - floor) * 1_000 + 0.5) | 0;
    const at = put(begin, bytes, from);
    if (micros === 1_000) return whole(floor + 1, bytes, at);
    const end = whole(floor, bytes, at);
    if (micros === 0) return end;
    bytes[end] = point;
    return threeDigits(micros, bytes, end + 1);
  };
}

/** Keeps the text of the second that was last written. */
function moment(): FieldWriter {
  let second = Number.NEGATIVE_INFINITY;
  let begin = octets("");
  const end = octets('Z"');
  return ({ time }, bytes, from) => {
    if (!(time >= second && time < second + 1_000)) {
      second = Math.floor(time / 1_000) * 1_000;
      begin = octets(`,"time":"${new Date(second).toISOString().slice(0, -"000Z".length)}`);
    }
    const at = put(begin, bytes, from);
    return put(end, bytes, threeDigits((time - second) | 0, bytes, at));
  };
}

function threeDigits(number: number, bytes: Buffer, at: number): number {
  const hundreds = (number / 100) | 0;
  const rest = number - hundreds * 100;
  const tens = (rest / 10) | 0;
  bytes[at] = zero + hundreds;
  bytes[at + 1] = zero + tens;
  bytes[at + 2] = zero + rest - tens * 10;
  return at + 3;
}

/** Beyond this arithmetic is no longer that of small integers. */
const maxSmall = 1_000_000_000;

function whole(number: number, bytes: Buffer, at: number): number {
  if (!(number >= 0 && number < maxSmall)) return at + bytes.write(String(number), at, "latin1");
  let rest = number | 0;
  if (rest < 10) {
    bytes[at] = zero + rest;
    return at + 1;
  }
  let end = at + 2;
  for (let limit = 100; rest >= limit; limit *= 10) end++;
  for (let place = end - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    bytes[place] = zero + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

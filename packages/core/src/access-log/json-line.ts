import type { AccessField, AccessRecord } from "../model/access-record.ts";
import { jsonText } from "./escaping.ts";

/** Writes records as JSON, with these fields in this order; one that has no value is left out. Hot path: no object is made. */
export function jsonLines(fields: readonly AccessField[]): (record: AccessRecord) => string {
  const writers = fields.map((field) => writerOf(field));
  return (record) => {
    let line = "";
    for (const write of writers) line += write(record);
    return `{${line.slice(1)}}`;
  };
}

/** Each with an access of its own, which is faster than one for all names; what it writes begins with a comma, or is nothing. */
function writerOf(field: AccessField): (record: AccessRecord) => string {
  const make = new Map<AccessField, (record: AccessRecord) => string>([
    ["time", ({ time }) => `,"time":"${timeText(time)}"`],
    ["client", text("client", (record) => record.client)],
    ["id", text("id", (record) => record.id)],
    ["method", text("method", (record) => record.method)],
    ["host", text("host", (record) => record.host)],
    ["target", text("target", (record) => record.target)],
    ["protocol", text("protocol", (record) => record.protocol)],
    ["endpoint", text("endpoint", (record) => record.endpoint)],
    ["backend", text("backend", (record) => record.backend)],
    ["route", text("route", (record) => record.route)],
    ["referer", text("referer", (record) => record.referer)],
    ["userAgent", text("userAgent", (record) => record.userAgent)],
    ["answeredBy", ({ answeredBy }) => `,"answeredBy":"${answeredBy}"`],
    ["end", ({ end }) => `,"end":"${end}"`],
    ["tls", ({ tls }) => (tls ? ',"tls":true' : ',"tls":false')],
    ["queueMs", span("queueMs", (record) => record.queueMs)],
    ["leaseMs", span("leaseMs", (record) => record.leaseMs)],
    ["firstByteMs", span("firstByteMs", (record) => record.firstByteMs)],
    ["totalMs", span("totalMs", (record) => record.totalMs)],
    ["listener", ({ listener }) => `,"listener":${listener}`],
    ["status", ({ status }) => (status === undefined ? "" : `,"status":${status}`)],
    ["bytesIn", ({ bytesIn }) => `,"bytesIn":${bytesIn}`],
    ["bytesOut", ({ bytesOut }) => `,"bytesOut":${bytesOut}`],
    ["attempts", ({ attempts }) => `,"attempts":${attempts}`],
    ["instance", ({ instance }) => (instance === undefined ? "" : `,"instance":${instance}`)],
  ]);
  return make.get(field)!;
}

/** Browsers and proxies say the same again and again: what was written last is kept. */
function text(name: AccessField, of: (record: AccessRecord) => string | undefined): (record: AccessRecord) => string {
  let last: string | undefined;
  let written = "";
  return (record) => {
    const value = of(record);
    if (value === undefined) return "";
    if (value === last) return written;
    last = value;
    written = `,"${name}":${jsonText(value)}`;
    return written;
  };
}

/** With three digits behind the point, by whole numbers, which are written faster. */
function span(name: AccessField, of: (record: AccessRecord) => number | undefined): (record: AccessRecord) => string {
  return (record) => {
    const ms = of(record);
    if (ms === undefined) return "";
    if (ms === 0) return `,"${name}":0`;
    const micros = Math.round(ms * 1_000);
    const rest = micros % 1_000;
    const whole = (micros - rest) / 1_000;
    if (rest === 0) return `,"${name}":${whole}`;
    return rest < 10
      ? `,"${name}":${whole}.00${rest}`
      : rest < 100
        ? `,"${name}":${whole}.0${rest}`
        : `,"${name}":${whole}.${rest}`;
  };
}

/** Of the millisecond that was last written. */
let lastMs = -1;
let lastText = "";

function timeText(time: number): string {
  const ms = Math.floor(time);
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}

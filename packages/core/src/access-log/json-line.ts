import type { AccessField, AccessRecord } from "../model/access-record.ts";
import { type FieldWriter, maxPlainBytes, writerOf } from "./json-fields.ts";
import type { LineWriter } from "./line-file.ts";

/** Fields that follow one another, and that most records have in common with the one before. */
interface Run {
  readonly names: readonly AccessField[];
  readonly same: (one: AccessRecord, other: AccessRecord) => boolean;
}

const runs: readonly Run[] = [
  {
    names: ["client", "listener", "tls", "tlsVersion", "tlsCipher", "method", "host"],
    same: (one, other) =>
      one.client === other.client &&
      one.listener === other.listener &&
      one.tls === other.tls &&
      one.tlsVersion === other.tlsVersion &&
      one.tlsCipher === other.tlsCipher &&
      one.method === other.method &&
      one.host === other.host,
  },
  {
    names: ["protocol", "status"],
    same: (one, other) => one.protocol === other.protocol && one.status === other.status,
  },
  {
    names: ["endpoint", "backend", "route", "answeredBy", "reason", "end", "referer", "userAgent"],
    same: (one, other) =>
      one.endpoint === other.endpoint &&
      one.backend === other.backend &&
      one.route === other.route &&
      one.answeredBy === other.answeredBy &&
      one.reason === other.reason &&
      one.end === other.end &&
      one.referer === other.referer &&
      one.userAgent === other.userAgent,
  },
];

const opening = 0x7b;
const closing = 0x7d;
/** An octet of text takes so many at most, as `\u0000`. */
const maxEscaped = 6;

/** Writes records as JSON, with these fields in this order; one that has no value is left out. Hot path: octets, and no object is made. */
export class JsonLine implements LineWriter<AccessRecord> {
  readonly #writers: readonly FieldWriter[];
  readonly #room: number;
  #scratch = Buffer.allocUnsafe(4_096);

  constructor(fields: readonly AccessField[]) {
    this.#writers = writersOf(fields);
    this.#room = fields.length * maxPlainBytes;
  }

  maxBytes(record: AccessRecord): number {
    return this.#room + textLength(record) * maxEscaped;
  }

  write(record: AccessRecord, bytes: Buffer, from: number): number {
    let at = from;
    for (const write of this.#writers) at = write(record, bytes, at);
    if (at === from) at += 1;
    bytes[from] = opening;
    bytes[at] = closing;
    return at + 1;
  }

  text(record: AccessRecord): string {
    const room = this.maxBytes(record);
    if (room > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(room);
    return this.#scratch.toString("utf8", 0, this.write(record, this.#scratch, 0));
  }
}

function textLength({ id, client, method, host, target, endpoint, backend, route, referer, userAgent }: AccessRecord) {
  return (
    lengthOf(id) +
    client.length +
    lengthOf(method) +
    lengthOf(host) +
    lengthOf(target) +
    lengthOf(endpoint) +
    lengthOf(backend) +
    lengthOf(route) +
    lengthOf(referer) +
    lengthOf(userAgent)
  );
}

function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : text.length;
}

function writersOf(fields: readonly AccessField[]): FieldWriter[] {
  const writers: FieldWriter[] = [];
  for (let at = 0; at < fields.length; ) {
    const run = runs.find(({ names }) => names.every((name, index) => fields[at + index] === name));
    writers.push(run === undefined ? writerOf(fields[at]!) : remembering(run));
    at += run?.names.length ?? 1;
  }
  return writers;
}

/** Writes a run anew only where it is another than the last: a part of a line that costs a look at its fields. */
function remembering({ names, same }: Run): FieldWriter {
  const writers = names.map((name) => writerOf(name));
  let last: AccessRecord | undefined;
  let written = new Uint8Array();
  return (record, bytes, at) => {
    if (last !== undefined && same(record, last)) {
      bytes.set(written, at);
      return at + written.length;
    }
    let end = at;
    for (const write of writers) end = write(record, bytes, end);
    last = record;
    written = new Uint8Array(bytes.subarray(at, end));
    return end;
  };
}

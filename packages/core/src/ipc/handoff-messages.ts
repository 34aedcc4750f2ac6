import type { AddressRange } from "../model/address-range.ts";
import { endStatus, firstErrorStatus } from "../model/failure-conditions.ts";
import { type HandshakeFailure, handshakeFailures } from "../model/handshake-failure.ts";
import type { HealthAnswer, HealthCheck } from "./health-check.ts";
import { internalMark } from "./internal-message.ts";

/**
 * What primary and workers say about handed-off connections. It has a key of its own, beside that of the envelope,
 * because it is said for every connection: the channel it comes on already tells the incarnation, and the hello the
 * version.
 */
const handoffKey = "@lb/core/handoff";

/** What the primary tells a worker. */
export type HandoffOrder =
  /** Comes with a socket: the connection is the worker's, and `bytes` were read off it already. */
  | { readonly kind: "connection"; readonly bytes: Buffer; readonly origin: ConnectionOrigin | undefined }
  /** Comes with a socket, whose client begins a handshake of TLS: `bytes` of it were read already. */
  | { readonly kind: "handshake"; readonly bytes: Buffer; readonly origin: ConnectionOrigin | undefined }
  /** What handshakes are made with from now on; what that is is judged where it is read. There are secrets in it. */
  | { readonly kind: "tls"; readonly tls: object }
  /** Give back up to `most` idle connections now; `"all"`: every one, as soon as it is idle, until 0 is asked for. */
  | { readonly kind: "return"; readonly most: number | "all" }
  /** To health check `id`; without an answer it is the app's request. */
  | { readonly kind: "health"; readonly id: number; readonly answer: HealthAnswer | undefined }
  /** Say when the requests have ended that are in flight now, but for tunnels. */
  | { readonly kind: "settle"; readonly id: number }
  /** End what is open for clients with these addresses. */
  | { readonly kind: "cut-off"; readonly range: AddressRange }
  /** The connection that was given back has arrived; the next may come. */
  | { readonly kind: "taken" };

/** What a worker tells the primary. */
export type HandoffNotice =
  /** A health check of the public port came on a connection that is here already: what is it to be told? */
  | { readonly kind: "health"; readonly id: number; readonly check: HealthCheck }
  /** Comes with a socket: an idle connection, nothing of which is read. `origin`: as it came with it. */
  | { readonly kind: "returned"; readonly origin: ConnectionOrigin | undefined }
  /** This Node cannot give connections back; said once. */
  | { readonly kind: "cannot-return"; readonly detail: string }
  /** To the order `settle` of this id. */
  | { readonly kind: "settled"; readonly id: number }
  | { readonly kind: "report"; readonly report: LoadReport }
  /** What it has counted since it last told, by the book; what that is is judged where it is read. */
  | { readonly kind: "counted"; readonly counts: object; readonly lines: SentLines | undefined }
  /** What has become of handshakes at a listener since this was last told. */
  | { readonly kind: "handshakes"; readonly listener: number; readonly handshakes: HandshakeReport };

/** Lines of the access log, without the end of the last, and how many there was no room for. */
export interface SentLines {
  readonly text: string;
  readonly dropped: number;
}

/** How many of which kind. */
export type HandshakeReport = { readonly [Kind in HandshakeFailure | "full" | "resumed"]?: number };

/** What the socket of a connection does not tell, where there is such: it travels with it. */
export interface ConnectionOrigin {
  /** Which of the public listeners accepted it, counted from 0. */
  readonly listener: number;
  /** The client, as a proxy of ours has named it. */
  readonly client?: { readonly address: string; readonly port: number } | undefined;
  /** It came by a Unix socket: its peer has no address, and is a proxy of ours. */
  readonly isUnix: boolean;
}

/** What has become of the requests on a worker's handed-off connections since its last report. */
export interface LoadReport {
  /** Requests begun and not ended, tunnels included; now, not since the last report. */
  readonly inFlight: number;
  /** Those of them whose response has not begun. */
  readonly unanswered: number;
  /** Answered with a status below 400. */
  readonly succeeded: number;
  /** Answered with another status, and how often with which. */
  readonly errors: readonly StatusCount[];
  /** Broken off by the app. */
  readonly reset: number;
  /** Broken off by the client. */
  readonly cancelled: number;
  /** From the request to the head of its response, over those answered with less than 500; met to within a report's interval. */
  readonly meanLatencyMs: number;
  readonly maxLatencyMs: number;
  /** Handed-off connections that are open now. */
  readonly connections: number;
  /** Requests that belonged to another worker and were relayed there. */
  readonly relayed: number;
  /** Connections that have become tunnels, and are open now. */
  readonly tunnels: number;
  /** By how much the worker's event loop was late at worst when a report was due. */
  readonly loopLagMs: number;
}

export type StatusCount = readonly [status: number, count: number];

/** The order in which a report's numbers travel; then come those of the errors. */
const reportFields = [
  "inFlight",
  "unanswered",
  "succeeded",
  "reset",
  "cancelled",
  "meanLatencyMs",
  "maxLatencyMs",
  "connections",
  "relayed",
  "tunnels",
  "loopLagMs",
] as const satisfies readonly Exclude<keyof LoadReport, "errors">[];

type ReportField = (typeof reportFields)[number];

/** Of the reason why connections cannot be given back. */
const maxDetailLength = 1_024;
/** Of the lines of a tenth of a second. */
const maxLinesLength = 16_777_216;

/**
 * The order that goes with a socket, for a connection on which `bytes` were read, `headLength` of them text. Text
 * travels as it is, since a JSON channel costs it nothing; a body would swell to several times its size, so it is coded.
 */
export function connectionOrder(bytes: Buffer, headLength: number, origin?: ConnectionOrigin): object {
  const order: { head: string; rest?: string; origin?: ConnectionOrigin } = {
    head: bytes.toString("latin1", 0, headLength),
  };
  if (bytes.length > headLength) order.rest = bytes.toString("base64", headLength);
  if (origin !== undefined) order.origin = origin;
  return { ...internalMark, [handoffKey]: order };
}

export function handshakeOrder(bytes: Buffer, origin: ConnectionOrigin | undefined): object {
  const order = { hello: bytes.toString("base64"), ...(origin !== undefined && { origin }) };
  return { ...internalMark, [handoffKey]: order };
}

export function tlsOrder(tls: object): object {
  return { ...internalMark, [handoffKey]: { tls } };
}

export function healthOrder(id: number, answer: HealthAnswer | undefined): object {
  return { ...internalMark, [handoffKey]: { id, ...answer } };
}

export function healthNotice(id: number, check: HealthCheck): object {
  return { ...internalMark, [handoffKey]: { id, ...check } };
}

export function returnOrder(most: number | "all"): object {
  return { ...internalMark, [handoffKey]: { most } };
}

export function settleOrder(settle: number): object {
  return { ...internalMark, [handoffKey]: { settle } };
}

export function cutOffOrder(cutOff: AddressRange): object {
  return { ...internalMark, [handoffKey]: { cutOff } };
}

export function settledNotice(settled: number): object {
  return { ...internalMark, [handoffKey]: { settled } };
}

export const takenOrder: object = Object.freeze({ ...internalMark, [handoffKey]: "taken" });
const returnedAsItIs: object = Object.freeze({ ...internalMark, [handoffKey]: "returned" });

export function returnedNotice(origin: ConnectionOrigin | undefined): object {
  return origin === undefined ? returnedAsItIs : { ...internalMark, [handoffKey]: { returned: origin } };
}

export function cannotReturnNotice(detail: string): object {
  return { ...internalMark, [handoffKey]: { detail: detail.slice(0, maxDetailLength) } };
}

export function reportNotice(report: LoadReport): object {
  return { ...internalMark, [handoffKey]: [...reportFields.map((field) => report[field]), ...report.errors.flat()] };
}

/** With the lines of the same requests: of a process that is killed both are there, or neither. */
export function countedNotice(counts: object, lines?: SentLines): object {
  return { ...internalMark, [handoffKey]: lines === undefined ? { counts } : { counts, ...lines } };
}

export function handshakesNotice(listener: number, handshakes: HandshakeReport): object {
  return { ...internalMark, [handoffKey]: { listener, handshakes } };
}

/** `foreign`: not about handed-off connections; `malformed`: ours by its key, but not a message that exists. */
export type HandoffReading<Message> = Message | { readonly kind: "foreign" } | { readonly kind: "malformed" };

const foreign = Object.freeze({ kind: "foreign" });
const malformed = Object.freeze({ kind: "malformed" });
const taken = Object.freeze({ kind: "taken" });
const returned = Object.freeze({ kind: "returned", origin: undefined });

export function readHandoffOrder(raw: unknown): HandoffReading<HandoffOrder> {
  const body = bodyOf(raw);
  if (body === undefined) return foreign;
  if (body === "taken") return taken;
  if (!isObject<"head" | "hello" | "tls" | "rest" | "origin" | "most" | "id" | "settle" | "cutOff">(body))
    return malformed;
  if (body.id !== undefined) return healthOrderOf(body) ?? malformed;
  if (body.settle !== undefined) return isAmount(body.settle) ? { kind: "settle", id: body.settle } : malformed;
  if (body.cutOff !== undefined) return cutOffOrderOf(body.cutOff) ?? malformed;
  const { head, hello, tls, rest, most } = body;
  if (isObject(tls)) return { kind: "tls", tls };
  const origin = body.origin === undefined ? undefined : originOf(body.origin);
  if (body.origin !== undefined && origin === undefined) return malformed;
  if (typeof hello === "string") return { kind: "handshake", bytes: Buffer.from(hello, "base64"), origin };
  if (typeof head === "string" && head !== "") {
    const text = Buffer.from(head, "latin1");
    if (rest === undefined) return { kind: "connection", bytes: text, origin };
    if (typeof rest !== "string") return malformed;
    return { kind: "connection", bytes: Buffer.concat([text, Buffer.from(rest, "base64")]), origin };
  }
  return most === "all" || isAmount(most) ? { kind: "return", most } : malformed;
}

function cutOffOrderOf(range: unknown): HandoffOrder | undefined {
  if (!isObject<"address" | "prefixLength">(range)) return undefined;
  const { address, prefixLength } = range;
  if (typeof address !== "string" || !isAmount(prefixLength) || prefixLength > 128) return undefined;
  return { kind: "cut-off", range: { address, prefixLength } };
}

export function readHandoffNotice(raw: unknown): HandoffReading<HandoffNotice> {
  const body = bodyOf(raw);
  if (body === undefined) return foreign;
  if (body === "returned") return returned;
  if (Array.isArray(body)) {
    const report = reportOf(body);
    return report === undefined ? malformed : { kind: "report", report };
  }
  if (
    !isObject<"detail" | "id" | "settled" | "returned" | "handshakes" | "listener" | "counts" | "text" | "dropped">(
      body,
    )
  )
    return malformed;
  if (isObject(body.counts)) return countedOf(body, body.counts);
  if (body.handshakes !== undefined) {
    const { listener } = body;
    const handshakes = handshakesOf(body.handshakes);
    const known = handshakes !== undefined && isAmount(listener) && Number.isInteger(listener);
    return known ? { kind: "handshakes", listener, handshakes } : malformed;
  }
  if (body.returned !== undefined) {
    const origin = originOf(body.returned);
    return origin === undefined ? malformed : { kind: "returned", origin };
  }
  if (body.id !== undefined) return healthNoticeOf(body) ?? malformed;
  if (body.settled !== undefined) return isAmount(body.settled) ? { kind: "settled", id: body.settled } : malformed;
  const { detail } = body;
  return typeof detail === "string" && detail.length <= maxDetailLength ? { kind: "cannot-return", detail } : malformed;
}

function countedOf(
  { text, dropped }: { readonly text?: unknown; readonly dropped?: unknown },
  counts: object,
): HandoffReading<HandoffNotice> {
  if (text === undefined) return { kind: "counted", counts, lines: undefined };
  const isLines = typeof text === "string" && text.length <= maxLinesLength && isAmount(dropped);
  return isLines ? { kind: "counted", counts, lines: { text, dropped } } : malformed;
}

function originOf(raw: unknown): ConnectionOrigin | undefined {
  if (!isObject<keyof ConnectionOrigin>(raw)) return undefined;
  const { listener, client, isUnix } = raw;
  if (!isAmount(listener) || !Number.isInteger(listener) || typeof isUnix !== "boolean") return undefined;
  if (client === undefined) return { listener, isUnix };
  if (!isObject<"address" | "port">(client)) return undefined;
  const { address, port } = client;
  if (typeof address !== "string" || !/^[0-9a-f:.]{2,45}$/.test(address)) return undefined;
  if (!isAmount(port) || !Number.isInteger(port) || port > 65_535) return undefined;
  return { listener, isUnix, client: { address, port } };
}

function reportOf(amounts: readonly unknown[]): LoadReport | undefined {
  if (!reportFields.every((field, index) => isReported(field, amounts[index]))) return undefined;
  const errors = errorsOf(amounts.slice(reportFields.length));
  if (errors === undefined) return undefined;
  const fields = reportFields.map((field, index) => [field, amounts[index]] as const);
  return { ...(Object.fromEntries(fields) as { [Field in ReportField]: number }), errors };
}

function errorsOf(amounts: readonly unknown[]): readonly StatusCount[] | undefined {
  if (amounts.length % 2 !== 0 || amounts.length > 2 * (endStatus - firstErrorStatus)) return undefined;
  const errors: StatusCount[] = [];
  let sum = 0;
  for (let at = 0; at < amounts.length; at += 2) {
    const [status, count] = [amounts[at], amounts[at + 1]];
    if (!isAmount(status) || !Number.isInteger(status) || status < firstErrorStatus || status >= endStatus)
      return undefined;
    if (!isAmount(count) || !Number.isInteger(count)) return undefined;
    sum += count;
    errors.push([status, count]);
  }
  return sum <= maxReported ? errors : undefined;
}

function handshakesOf(raw: unknown): HandshakeReport | undefined {
  if (!isObject<keyof HandshakeReport>(raw)) return undefined;
  const told = Object.entries(raw);
  const isKnown = ([kind, times]: [string, unknown]) =>
    ["full", "resumed", ...handshakeFailures].includes(kind) && isAmount(times) && Number.isInteger(times);
  return told.every(isKnown) ? (Object.fromEntries(told) as HandshakeReport) : undefined;
}

function healthOrderOf(body: object): HandoffOrder | undefined {
  const { id, status, body: text } = body as { readonly [Key in "id" | "status" | "body"]?: unknown };
  if (!isAmount(id)) return undefined;
  if (status === undefined) return { kind: "health", id, answer: undefined };
  return isAmount(status) && typeof text === "string"
    ? { kind: "health", id, answer: { status, body: text } }
    : undefined;
}

function healthNoticeOf(body: object): HandoffNotice | undefined {
  const { id, path, clientAddress, indirect, token } = body as { readonly [Key in keyof HealthCheck | "id"]?: unknown };
  if (!isAmount(id) || typeof path !== "string" || typeof clientAddress !== "string") return undefined;
  if (typeof indirect !== "boolean" || (token !== undefined && typeof token !== "string")) return undefined;
  return { kind: "health", id, check: { path, clientAddress, indirect, token } };
}

function bodyOf(raw: unknown): unknown {
  return isObject<typeof handoffKey>(raw) ? raw[handoffKey] : undefined;
}

/** Nobody has more descriptors (Linux: `fs.nr_open`), so neither connections nor requests on them. */
const maxOpen = 1_048_576;
/** A report comes ten times a second. Each request in it is booked, so a number that cannot be would block this process. */
const maxReported = 100_000;

/** Whether a field of a report says what can be. */
function isReported(field: ReportField, value: unknown): value is number {
  if (!isAmount(value)) return false;
  switch (field) {
    case "inFlight":
    case "unanswered":
    case "connections":
    case "tunnels":
      return Number.isInteger(value) && value <= maxOpen;
    case "succeeded":
    case "reset":
    case "cancelled":
    case "relayed":
      return Number.isInteger(value) && value <= maxReported;
    case "meanLatencyMs":
    case "maxLatencyMs":
    case "loopLagMs":
      return true;
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isObject<Name extends string>(value: unknown): value is { readonly [Key in Name]?: unknown } {
  return typeof value === "object" && value !== null;
}

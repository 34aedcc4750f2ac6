import { maxAppMetricsLength } from "./app-metrics.ts";
import { internalMark } from "./internal-message.ts";
import {
  type GateFacts,
  maxFailureMessageLength,
  maxFailureStackLength,
  maxNoticeLength,
  maxSecretLength,
  type Peer,
  type PrimaryMessage,
  protocolVersion,
  type Reach,
  type SharedPlace,
  type StartNotice,
  type Vitals,
  type WorkerFailure,
  type WorkerFault,
  type WorkerMessage,
} from "./messages.ts";
import {
  maxProfileErrorLength,
  maxProfilePathLength,
  type ProfileOrder,
  type ProfileOutcome,
} from "./profile-messages.ts";
import { readSpans } from "./sent-spans.ts";

/** Each of our messages is wrapped under a key of its own: Node's modules use the same event. */
const envelopeKey = "@lb/core";

/** The longest host name there is. */
const maxHostLength = 253;

/**
 * What arrived on the channel between primary and worker:
 * - `foreign`: not ours, but another module's;
 * - `dropped`: ours by its wrapping, but of another protocol version (`version`), from or for another incarnation of
 *   the worker (`stale`), or not a message that exists (`malformed`).
 */
export type Received<Message> =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "foreign" }
  | { readonly kind: "dropped"; readonly reason: "version" | "stale" | "malformed" };

/** `endpointId` is the incarnation that the message comes from or goes to, e.g. `"2.1"`. */
export function wrap(endpointId: string, message: WorkerMessage | PrimaryMessage): object {
  return { ...internalMark, [envelopeKey]: { version: protocolVersion, endpointId, message } };
}

export function readWorkerMessage(raw: unknown, endpointId: string): Received<WorkerMessage> {
  return read(raw, endpointId, workerMessage);
}

export function readPrimaryMessage(raw: unknown, endpointId: string): Received<PrimaryMessage> {
  return read(raw, endpointId, primaryMessage);
}

function read<Message>(
  raw: unknown,
  endpointId: string,
  parse: (body: Body) => Message | undefined,
): Received<Message> {
  if (!isObject<typeof envelopeKey>(raw) || !Object.hasOwn(raw, envelopeKey)) return { kind: "foreign" };
  const envelope = raw[envelopeKey];
  if (!isObject<"version" | "endpointId" | "message">(envelope)) return { kind: "dropped", reason: "malformed" };
  if (envelope.version !== protocolVersion) return { kind: "dropped", reason: "version" };
  if (envelope.endpointId !== endpointId) return { kind: "dropped", reason: "stale" };
  const body = envelope.message;
  const message = isObject<keyof Body>(body) ? parse(body) : undefined;
  return message === undefined ? { kind: "dropped", reason: "malformed" } : { kind: "message", message };
}

/** Rebuilds the message from the fields it knows, so that nothing else a sender attached travels further. */
function workerMessage(
  body: Fields<
    | "type"
    | "failure"
    | "fault"
    | "vitals"
    | "place"
    | "notice"
    | "reach"
    | "asked"
    | "text"
    | "spans"
    | "dropped"
    | "outcome"
  >,
): WorkerMessage | undefined {
  switch (body.type) {
    case "hello":
      return { type: "hello" };
    case "ready":
      return isReach(body.reach) ? { type: "ready", reach: body.reach } : undefined;
    case "retiring":
      return { type: "retiring" };
    case "sessions":
    case "has-metrics":
      return { type: body.type };
    case "metrics": {
      const { asked, text } = body;
      return isCount(asked) && isText(text, maxAppMetricsLength) ? { type: "metrics", asked, text } : undefined;
    }
    case "share-port":
    case "leave-port": {
      const place = sharedPlace(body.place);
      return place && { type: body.type, place };
    }
    case "vitals": {
      const read = vitals(body.vitals);
      return read && { type: "vitals", vitals: read };
    }
    case "spans": {
      const spans = readSpans(body.spans);
      return spans && isAmount(body.dropped) ? { type: "spans", spans, dropped: body.dropped } : undefined;
    }
    case "profiled": {
      const outcome = profileOutcome(body.outcome);
      return outcome && { type: "profiled", outcome };
    }
    case "fault": {
      const fault = workerFault(body.fault);
      return fault && { type: "fault", fault };
    }
    case "noticed": {
      const notice = startNotice(body.notice);
      return notice && { type: "noticed", notice };
    }
    case "failed": {
      const failure = workerFailure(body.failure);
      return failure && { type: "failed", failure };
    }
    default:
      return undefined;
  }
}

function primaryMessage(
  body: Fields<
    "type" | "graceMs" | "port" | "taking" | "lingering" | "place" | "errorCode" | "gate" | "asked" | "order"
  >,
): PrimaryMessage | undefined {
  switch (body.type) {
    case "drain":
    case "closing": {
      const { type, graceMs } = body;
      return typeof graceMs === "number" && Number.isFinite(graceMs) && graceMs >= 0 ? { type, graceMs } : undefined;
    }
    case "gate": {
      const gate = gateFacts(body.gate);
      return gate && { type: "gate", gate };
    }
    case "tell-metrics":
      return isCount(body.asked) ? { type: "tell-metrics", asked: body.asked } : undefined;
    case "profile": {
      const order = profileOrder(body.order);
      return order && { type: "profile", order };
    }
    case "ending":
      return { type: "ending" };
    case "unused":
      return { type: "unused" };
    case "open-port":
      return isPort(body.port) ? { type: "open-port", port: body.port } : undefined;
    case "shared-connection": {
      const place = sharedPlace(body.place);
      return place && { type: "shared-connection", place };
    }
    case "shared-port": {
      const [place, { errorCode }] = [sharedPlace(body.place), body];
      if (place === undefined) return undefined;
      if (errorCode === undefined) return { type: "shared-port", place };
      return isErrorCode(errorCode) ? { type: "shared-port", place, errorCode } : undefined;
    }
    case "peers": {
      const [taking, lingering] = [peers(body.taking), peers(body.lingering)];
      return taking === undefined || lingering === undefined ? undefined : { type: "peers", taking, lingering };
    }
    default:
      return undefined;
  }
}

function profileOrder(raw: unknown): ProfileOrder | undefined {
  if (!isObject<keyof ProfileOrder>(raw)) return undefined;
  const { id, kind, ms, path, maxBytes } = raw;
  if (![id, ms, maxBytes].every(isAmount) || (kind !== "cpu" && kind !== "heap")) return undefined;
  return isText(path, maxProfilePathLength) ? ({ id, kind, ms, path, maxBytes } as ProfileOrder) : undefined;
}

function profileOutcome(raw: unknown): ProfileOutcome | undefined {
  if (!isObject<"id" | "bytes" | "blockedMs" | "error">(raw) || !isAmount(raw.id)) return undefined;
  const { bytes, blockedMs, error } = raw;
  const id = raw.id as number;
  if (error !== undefined) return isText(error, maxProfileErrorLength) ? { id, error } : undefined;
  return isAmount(bytes) && isAmount(blockedMs)
    ? { id, bytes: bytes as number, blockedMs: blockedMs as number }
    : undefined;
}

/** What the options are is judged where they are read. */
function gateFacts(raw: unknown): GateFacts | undefined {
  if (!isObject<keyof GateFacts>(raw) || !isObject(raw.options)) return undefined;
  const { options, secret } = raw;
  if (secret === undefined) return { options };
  const usable = typeof secret === "string" && secret !== "" && secret.length <= maxSecretLength;
  return usable ? { options, secret } : undefined;
}

function vitals(raw: unknown): Vitals | undefined {
  if (!isObject<keyof Vitals>(raw)) return undefined;
  const { loopUtilization, loopLagMs, cpu, heapBytes, rssBytes, sessions, redis } = raw;
  if (![loopUtilization, loopLagMs, cpu, heapBytes, rssBytes, sessions ?? 0].every(isAmount)) return undefined;
  const isReach = redis === "connecting" || redis === "ready" || redis === "degraded";
  if (redis !== undefined && !isReach) return undefined;
  return {
    loopUtilization,
    loopLagMs,
    cpu,
    heapBytes,
    rssBytes,
    ...(sessions !== undefined && { sessions }),
    ...(redis !== undefined && { redis }),
  } as Vitals;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function peers(raw: unknown): readonly Peer[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const read = raw.map(peer);
  return read.every((one) => one !== undefined) ? read : undefined;
}

function peer(raw: unknown): Peer | undefined {
  if (!isObject<keyof Peer>(raw)) return undefined;
  const { id, port, endpointId } = raw;
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1 || !isPort(port)) return undefined;
  return typeof endpointId === "string" && /^\d{1,8}\.\d{1,15}$/.test(endpointId)
    ? { id, port, endpointId }
    : undefined;
}

function sharedPlace(raw: unknown): SharedPlace | undefined {
  if (!isObject<keyof SharedPlace>(raw) || !isPort(raw.port)) return undefined;
  const { port, host } = raw;
  if (host === undefined) return { port };
  return typeof host === "string" && host.length <= maxHostLength ? { port, host } : undefined;
}

function startNotice(raw: unknown): StartNotice | undefined {
  if (!isObject<"kind" | "protocol" | "at" | "command">(raw)) return undefined;
  const { kind, protocol, at, command } = raw;
  if (kind === "listens" && isNoticeText(protocol) && isNoticeText(at)) return { kind, protocol, at };
  return kind === "runs" && isNoticeText(command) ? { kind, command } : undefined;
}

function isNoticeText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxNoticeLength;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isReach(value: unknown): value is Reach {
  return value === "link" || value === "own-port";
}

function isErrorCode(value: unknown): value is string {
  return typeof value === "string" && /^E[A-Z0-9_]{1,30}$/.test(value);
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 65_535;
}

function workerFailure(raw: unknown): WorkerFailure | undefined {
  if (!isObject<keyof WorkerFailure>(raw)) return undefined;
  const { code, message, stack } = raw;
  if (typeof code !== "string" || !/^LB_[A-Z_]{1,60}$/.test(code)) return undefined;
  if (typeof message !== "string" || message.length > maxFailureMessageLength) return undefined;
  if (stack === undefined) return { code, message };
  if (typeof stack !== "string" || stack.length > maxFailureStackLength) return undefined;
  return { code, message, stack };
}

function workerFault(raw: unknown): WorkerFault | undefined {
  if (!isObject<keyof WorkerFault>(raw) || !isAmount(raw.untold)) return undefined;
  const { where, message, stack, untold } = raw;
  if (!isText(where, maxFailureMessageLength) || !isText(message, maxFailureMessageLength)) return undefined;
  const told = { where, message, untold: untold as number };
  if (stack === undefined) return told;
  return isText(stack, maxFailureStackLength) ? { ...told, stack } : undefined;
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length <= maxLength;
}

/** All fields that any message has. */
type Body = Fields<
  | "type"
  | "graceMs"
  | "failure"
  | "fault"
  | "port"
  | "taking"
  | "lingering"
  | "vitals"
  | "place"
  | "errorCode"
  | "gate"
  | "notice"
  | "reach"
  | "asked"
  | "text"
  | "spans"
  | "dropped"
  | "order"
  | "outcome"
>;

/** An object of which nothing is known yet but that these fields are worth a look. */
type Fields<Name extends string> = { readonly [Key in Name]?: unknown };

function isObject<Name extends string>(value: unknown): value is Fields<Name> {
  return typeof value === "object" && value !== null;
}

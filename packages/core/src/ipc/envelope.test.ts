import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPrimaryMessage, readWorkerMessage, wrap } from "./envelope.ts";
import {
  maxFailureMessageLength,
  maxFailureStackLength,
  type PrimaryMessage,
  protocolVersion,
  type WorkerMessage,
} from "./messages.ts";

const overChannel = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const envelope = (body: unknown) => ({ "@lb/core": { version: protocolVersion, endpointId: "2.1", message: body } });

const amount = fc.double({ min: 0, max: 1e12, noNaN: true }).map((value) => value + 0);
const workerMessages: fc.Arbitrary<WorkerMessage> = fc.oneof(
  fc.record({
    type: fc.constant("vitals" as const),
    vitals: fc.record(
      {
        loopUtilization: amount,
        loopLagMs: amount,
        cpu: amount,
        heapBytes: amount,
        rssBytes: amount,
        sessions: amount,
      },
      { requiredKeys: ["loopUtilization", "loopLagMs", "cpu", "heapBytes", "rssBytes"] },
    ),
  }),
  fc.record({ type: fc.constant("metrics" as const), asked: fc.nat(), text: fc.string() }),
  fc.record({
    type: fc.constant("profiled" as const),
    outcome: fc.oneof(
      fc.record({ id: fc.nat(), bytes: amount, blockedMs: amount }),
      fc.record({ id: fc.nat(), error: fc.string({ maxLength: 1_024 }) }),
    ),
  }),
  fc.constantFrom<WorkerMessage>(
    { type: "has-metrics" },
    { type: "hello" },
    { type: "ready", reach: "link" },
    { type: "retiring" },
  ),
  fc.record({
    type: fc.constant("failed" as const),
    failure: fc.record(
      {
        code: fc.stringMatching(/^LB_[A-Z_]{1,60}$/),
        message: fc.string({ maxLength: maxFailureMessageLength }),
        stack: fc.string(),
      },
      { requiredKeys: ["code", "message"] },
    ),
  }),
);

const port = fc.integer({ min: 1, max: 65_535 });
const peers = fc.array(fc.record({ id: fc.integer({ min: 1, max: 1_024 }), port, endpointId: fc.constant("2.1") }));
const primaryMessages: fc.Arbitrary<PrimaryMessage> = fc.oneof(
  fc.record({
    type: fc.constant("gate" as const),
    gate: fc.record(
      { options: fc.constant({ affinity: ["ip"] }), secret: fc.string({ minLength: 1, maxLength: 128 }) },
      { requiredKeys: ["options"] },
    ),
  }),
  fc.record({ type: fc.constantFrom("drain" as const, "closing" as const), graceMs: fc.nat() }),
  fc.record({ type: fc.constant("open-port" as const), port }),
  fc.record({ type: fc.constant("tell-metrics" as const), asked: fc.nat() }),
  fc.record({
    type: fc.constant("profile" as const),
    order: fc.record({
      id: fc.nat(),
      kind: fc.constantFrom("cpu" as const, "heap" as const),
      ms: amount,
      path: fc.string({ maxLength: 4_096 }),
      maxBytes: amount,
    }),
  }),
  fc.record({ type: fc.constant("peers" as const), taking: peers, lingering: peers }),
);

describe("envelope", () => {
  it("brings every worker message through the JSON channel unchanged", () => {
    fc.assert(
      fc.property(workerMessages, (message) => {
        expect(readWorkerMessage(overChannel(wrap("2.1", message)), "2.1")).toEqual({ kind: "message", message });
      }),
    );
  });

  it("brings every primary message through the JSON channel unchanged", () => {
    fc.assert(
      fc.property(primaryMessages, (message) => {
        expect(readPrimaryMessage(overChannel(wrap("2.1", message)), "2.1")).toEqual({ kind: "message", message });
      }),
    );
  });

  it("takes whatever else is sent for the app's own, and never throws", () => {
    fc.assert(
      fc.property(fc.anything(), (junk) => {
        expect(readWorkerMessage(junk, "2.1")).toEqual({ kind: "foreign" });
        expect(readPrimaryMessage(junk, "2.1")).toEqual({ kind: "foreign" });
      }),
    );
  });

  it("drops junk inside our wrapping as malformed, never as a message", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.record({ type: fc.string(), graceMs: fc.anything() })), (junk) => {
        expect(readWorkerMessage(envelope(junk), "2.1")).toEqual({ kind: "dropped", reason: "malformed" });
        expect(readWorkerMessage({ "@lb/core": junk }, "2.1").kind).toBe("dropped");
        expect(readPrimaryMessage({ "@lb/core": junk }, "2.1").kind).toBe("dropped");
      }),
    );
  });

  it.each([
    ["a drain without its grace", { type: "drain" }],
    ["a secret without end", { type: "gate", gate: { options: {}, secret: "x".repeat(129) } }],
    ["a gate without options", { type: "gate", gate: { secret: "x" } }],
    ["a negative grace", { type: "drain", graceMs: -1 }],
    ["an infinite grace", { type: "drain", graceMs: Number.POSITIVE_INFINITY }],
    ["a grace in words", { type: "drain", graceMs: "1000" }],
    ["a port that is none", { type: "open-port", port: 65_536 }],
    ["peers that are no list", { type: "peers", taking: "all", lingering: [] }],
    ["peers of whom nothing is known but who takes traffic", { type: "peers", taking: [] }],
    [
      "peers with one that is none",
      {
        type: "peers",
        taking: [],
        lingering: [
          { id: 1, port: 3001, endpointId: "1.1" },
          { id: 0, port: 3002, endpointId: "2.1" },
        ],
      },
    ],
    ["a worker's message", { type: "hello" }],
  ])("drops %s on the way to a worker", (_, body) => {
    expect(readPrimaryMessage(envelope(body), "2.1")).toEqual({ kind: "dropped", reason: "malformed" });
  });

  it.each([
    ["a failure without a code", { message: "m" }],
    ["a code that is not ours", { code: "EADDRINUSE", message: "m" }],
    ["a huge message", { code: "LB_X", message: "m".repeat(maxFailureMessageLength + 1) }],
    ["a huge stack", { code: "LB_X", message: "m", stack: "s".repeat(maxFailureStackLength + 1) }],
    ["a stack that is no string", { code: "LB_X", message: "m", stack: {} }],
    ["no failure at all", undefined],
  ])("BAD-INPUTS 111, 113: drops %s", (_, failure) => {
    const raw = envelope({ type: "failed", failure });
    expect(readWorkerMessage(raw, "2.1")).toEqual({ kind: "dropped", reason: "malformed" });
  });

  it("BAD-INPUTS 114: drops what another incarnation sent", () => {
    expect(readWorkerMessage(wrap("2.1", { type: "ready", reach: "link" }), "2.2")).toEqual({
      kind: "dropped",
      reason: "stale",
    });
  });

  it("drops what another version of the protocol sent", () => {
    const raw = {
      "@lb/core": { version: protocolVersion + 1, endpointId: "2.1", message: { type: "ready", reach: "link" } },
    };
    expect(readWorkerMessage(raw, "2.1")).toEqual({ kind: "dropped", reason: "version" });
  });

  it("keeps only the fields it knows", () => {
    const raw = envelope({ type: "ready", reach: "link", extra: "x".repeat(1_000_000) });
    expect(readWorkerMessage(raw, "2.1")).toEqual({ kind: "message", message: { type: "ready", reach: "link" } });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWorkerFacts, encodeWorkerFacts, type WorkerFacts } from "./worker-facts.ts";

const facts: WorkerFacts = {
  endpointId: "3.2",
  slot: 2,
  intakePath: "/tmp/lb-x/3.2.sock",
  hubPath: "/tmp/lb-x/hub.sock",
  host: "127.0.0.1",
  port: 3003,
  ownPort: 3003,
  publicPort: 3000,
  primaryPid: 4711,
  drainTimeoutMs: 10_000,
  stopSignal: "SIGTERM",
  heartbeatMs: 0,
  pipedOutput: false,
  handoff: false,
  traced: false,
};

describe("worker facts", () => {
  it("are read as they were written", () => {
    expect(decodeWorkerFacts(encodeWorkerFacts(facts))).toEqual(facts);
  });

  it("are nothing when any of them is missing, or of another type", () => {
    const whole = JSON.parse(encodeWorkerFacts(facts)) as Record<string, unknown>;
    for (const key of Object.keys(whole)) {
      expect(decodeWorkerFacts(JSON.stringify({ ...whole, [key]: undefined })), key).toBeUndefined();
      expect(decodeWorkerFacts(JSON.stringify({ ...whole, [key]: { no: "thing" } })), key).toBeUndefined();
    }
    expect(decodeWorkerFacts(JSON.stringify({ ...whole, port: 65_536 }))).toBeUndefined();
    expect(decodeWorkerFacts(JSON.stringify({ ...whole, slot: -1 }))).toBeUndefined();
    expect(decodeWorkerFacts(JSON.stringify({ ...whole, slot: 1.5 }))).toBeUndefined();
  });

  it("are nothing for any other text, which never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(decodeWorkerFacts(text)).toBeUndefined();
      }),
    );
  });
});

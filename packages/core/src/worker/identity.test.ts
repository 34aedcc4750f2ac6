import { describe, expect, it } from "vitest";
import { encodeWorkerFacts, type WorkerFacts, workerFactsVariable } from "../ipc/worker-facts.ts";
import { takeWorkerFacts } from "./identity.ts";

const facts: WorkerFacts = {
  endpointId: "1.1",
  slot: 0,
  intakePath: "/tmp/lb-x/1.1.sock",
  hubPath: "/tmp/lb-x/hub.sock",
  host: "127.0.0.1",
  port: 3001,
  ownPort: 3001,
  publicPort: 3000,
  primaryPid: 4711,
  drainTimeoutMs: 10_000,
  stopSignal: "SIGTERM",
  heartbeatMs: 0,
  pipedOutput: false,
  handoff: false,
  traced: false,
};
const environment = () => ({ PORT: "3001", [workerFactsVariable]: encodeWorkerFacts(facts) });

describe("worker identity", () => {
  it("is none without the variable", () => {
    expect(takeWorkerFacts({ PORT: "3001" }, 4711)).toBeUndefined();
  });

  it("is read once: children of the worker do not inherit it", () => {
    const env = environment();
    expect(takeWorkerFacts(env, 4711)).toEqual(facts);
    expect(env).toEqual({ PORT: "3001" });
    expect(takeWorkerFacts(env, 4711)).toBeUndefined();
  });

  it("is refused to a process whose parent is not the primary", () => {
    const env = environment();
    expect(() => takeWorkerFacts(env, 1)).toThrow(expect.objectContaining({ code: "LB_NOT_A_WORKER" }));
    expect(env).toEqual({ PORT: "3001" });
  });

  it("is refused when another version wrote it", () => {
    const env = { [workerFactsVariable]: '{"version":0}' };
    expect(() => takeWorkerFacts(env, 4711)).toThrow(expect.objectContaining({ code: "LB_NOT_A_WORKER" }));
  });
});

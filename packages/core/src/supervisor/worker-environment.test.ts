import { expect, it } from "vitest";
import { decodeWorkerFacts, workerFactsVariable } from "../ipc/worker-facts.ts";
import { workerEnvironment } from "./worker-environment.ts";

const secret = "what signs cookies";

it("gives a worker its environment and its private facts, and no secret", () => {
  const env = workerEnvironment(
    {
      portEnv: "own",
      host: "127.0.0.1",
      drainTimeoutMs: 10_000,
      stopSignal: "SIGTERM",
      intakes: {
        parent: "/run",
        pathFor: (id) => `/run/${id}.sock`,
        hubPath: "/run/hub.sock",
        removePath: () => {},
        remove: () => {},
      },
      heartbeat: false,
      gate: { options: {}, secret },
    },
    {
      endpoint: { id: "2.1", slot: 1, incarnation: 1, weight: 1, address: { kind: "unix", path: "/run/2.1.sock" } },
      port: 3002,
      ownPort: 3002,
      publicPort: 3000,
      edition: { env: { GREETING: "hello" }, cwd: "/srv" },
    },
  );
  expect(env).toMatchObject({
    PATH: process.env["PATH"],
    GREETING: "hello",
    PORT: "3002",
    INSTANCE_PORT: "3002",
    HOST: "127.0.0.1",
    INSTANCE_ID: "2",
    NODE_APP_INSTANCE: "1",
  });
  expect(decodeWorkerFacts(env[workerFactsVariable]!)).toEqual({
    endpointId: "2.1",
    slot: 1,
    intakePath: "/run/2.1.sock",
    hubPath: "/run/hub.sock",
    host: "127.0.0.1",
    port: 3002,
    ownPort: 3002,
    primaryPid: process.pid,
    publicPort: 3000,
    drainTimeoutMs: 10_000,
    stopSignal: "SIGTERM",
    heartbeatMs: 0,
    pipedOutput: false,
    handoff: true,
    traced: false,
  });
  expect(Object.values(env).join()).not.toContain(secret);
});

import { describe, expect, it } from "vitest";
import { healthDefaults, restartDefaults } from "../../test/support/default-settings.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { roundRobin } from "../strategies/index.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { parseClusterOptions, type Surroundings } from "./cluster-settings.ts";

const surroundings: Surroundings = { env: {}, parallelism: 8, random: seededRandom(1) };
const parse = (options: unknown, env: Surroundings["env"] = {}) =>
  parseClusterOptions(options, { ...surroundings, env });

const certificate = { certificates: [{ cert: "a", key: "b" }] };

describe("cluster options", () => {
  it("may all be left out", () => {
    const settings = parse({});
    expect(settings).toMatchObject({
      name: "app",
      instances: 8,
      port: 3_000,
      host: "127.0.0.1",
      workerPort: undefined,
      strategy: { name: "least-connections" },
      startTimeoutMs: 30_000,
      drainTimeoutMs: 10_000,
      restart: restartDefaults,
      env: {},
      signals: true,
      front: { backendHeader: false },
    });
    expect({ ...settings.health, active: false }).toMatchObject({ maxEjectedShare: healthDefaults.maxEjectedShare });
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.restart)).toBe(true);
  });

  it("take number and port from the environment, unless they are given", () => {
    const env = { WEB_CONCURRENCY: " 3 ", PORT: "8080" };
    expect(parse({}, env)).toMatchObject({ instances: 3, port: 8_080 });
    expect(parse({ instances: "auto", port: 4_000 }, env)).toMatchObject({ instances: 8, port: 4_000 });
    expect(parse({}, { WEB_CONCURRENCY: "", PORT: "" })).toMatchObject({ instances: 8, port: 3_000 });
  });

  it("let the system choose all ports when the public one is 0", () => {
    expect(parse({ port: 0 })).toMatchObject({ port: 0, workerPort: 0 });
    expect(parse({ port: 0, workerPort: 4_001 })).toMatchObject({ workerPort: 4_001 });
  });

  it("take a strategy as it is", () => {
    const strategy = roundRobin();
    expect(parse({ strategy }).strategy).toBe(strategy);
  });

  it("complete what is given in part", () => {
    const { restart, queue, retryBudget } = parse({
      restart: { maxCrashes: 1 },
      queue: { maxWaiting: 0 },
      retryBudget: { ratio: 0.5 },
    });
    expect(restart).toEqual({ ...restartDefaults, maxCrashes: 1 });
    expect(queue).toEqual({ maxWaiting: 0, maxWaitMs: 5_000 });
    expect(retryBudget).toEqual({ ratio: 0.5, minRetriesPerSecond: 10, ttlMs: 10_000 });
  });

  it("say with how many instances autoscaling starts, and between which numbers it stays", () => {
    const sizes = (options: ClusterOptions) => {
      const { instances, autoscale } = parse(options);
      return [instances, autoscale?.min, autoscale?.max];
    };
    expect(sizes({ autoscale: { min: 2, max: 6 } })).toEqual([2, 2, 6]);
    expect(sizes({ autoscale: { min: 2, max: 6 }, instances: 4 })).toEqual([4, 2, 6]);
    expect(sizes({ autoscale: { min: 2, max: 6 }, instances: 9 })).toEqual([6, 2, 6]);
    expect(sizes({ autoscale: { min: 100 } })).toEqual([100, 100, 100]);
    expect(parse({ autoscale: { target: { inFlight: 20 } }, heartbeat: false }).autoscale?.target).toEqual({
      metric: "inFlight",
      value: 20,
    });
  });

  it("let each instance hold as many connections in hand-off mode as the primary does in proxy mode", () => {
    const most = (options: ClusterOptions) => parse({ instances: 4, ...options }).front.limits.maxConnections;
    expect(most({ mode: "handoff" })).toBe(4 * most({}));
    expect(most({ mode: "handoff", autoscale: { max: 6 } })).toBe(6 * most({}));
    expect(most({ mode: "handoff", limits: { maxConnections: 7 } })).toBe(7);
  });

  it.each<[unknown, string, string]>([
    [{ instances: 0 }, "instances", "from 1 to 1024"],
    [{ instances: 2.5 }, "instances", "whole number"],
    [{ instances: "all" }, "instances", '"auto"'],
    [{ port: 65_536 }, "port", "from 0 to 65535"],
    [{ port: "3000" }, "port", "whole number"],
    [{ host: "http://localhost" }, "host", "alone"],
    [{ host: "" }, "host", "alone"],
    [{ workerPort: -1 }, "workerPort", "whole number"],
    [{ strategy: "fastest" }, "strategy", "round-robin"],
    [{ startTimeoutMs: 0 }, "startTimeoutMs", "milliseconds"],
    [{ drainTimeoutMs: Number.POSITIVE_INFINITY }, "drainTimeoutMs", "milliseconds"],
    [{ restart: { delay: 1 } }, "restart.delay", "delayMs"],
    [{ env: { DEBUG: true } }, "env.DEBUG", "string"],
    [{ env: { PORT: "1" } }, "env.PORT", "its own"],
    [{ signals: "yes" }, "signals", "true or false"],
    [{ name: "" }, "name", "name"],
    [{ instancs: 2 }, "instancs", '"instances"'],
    [{ autoscale: { target: { loop: 0.5 } } }, "autoscale.target.loop", "eventLoopUtilization"],
    [{ autoscale: { target: { eventLoopUtilization: 2 } } }, "autoscale.target.eventLoopUtilization", "up to 1"],
    [{ autoscale: { target: { cpu: 0.5, inFlight: 3 } } }, "autoscale.target", "one of"],
    [{ autoscale: { min: 4, max: 2 } }, "autoscale", "no less than min"],
    [{ autoscale: {}, heartbeat: false }, "heartbeat", "inFlight"],
    [{ queue: { maxWaiting: -1 } }, "queue.maxWaiting", "at least 0"],
    [{ queue: { maxWaiting: Number.POSITIVE_INFINITY } }, "queue.maxWaiting", "whole number"],
    [{ queue: { maxWait: 5 } }, "queue.maxWait", '"maxWaitMs"'],
    [{ queue: { maxWaitMs: "5s" } }, "queue.maxWaitMs", "milliseconds"],
    [{ retryBudget: { ratio: 0 } }, "retryBudget.ratio", "greater than 0"],
    [{ retryBudget: { minRetriesPerSecond: 0.5 } }, "retryBudget.minRetriesPerSecond", "whole number"],
    [{ retryBudget: {}, mode: "handoff" }, "retryBudget", 'mode "proxy"'],
    [{ limits: { maxRequestsInFlight: 5 }, mode: "handoff" }, "limits.maxRequestsInFlight", 'mode "proxy"'],
    [{ https: certificate, mode: "handoff", affinity: { header: "x-user" } }, "affinity", 'mode "proxy"'],
    [{ https: certificate, mode: "handoff", affinity: ["cookie", { query: "room" }] }, "affinity", 'mode "proxy"'],
    [{ https: { certificates: [] } }, "https.certificates", "give one certificate at least"],
    [{ https: {} }, "https.certificates", "https.acme"],
    [{ https: { certificates: [{ cert: "a" }] } }, "https.certificates[0].key", "required"],
    [{ https: { localhost: true } }, "https.localhost", "XDG_STATE_HOME"],
    [{ https: { acme: { domains: ["a.example"] } } }, "https.acme.agreeTos", ""],
    [{ https: { acme: { domains: ["*.a.example"], agreeTos: true } } }, "https.acme.domains[0]", "wildcard"],
    [{ https: { acme: { domains: ["10.0.0.1"], agreeTos: true } } }, "https.acme.domains[0]", "address"],
    [{ https: { acme: { domains: ["a.example"], agreeTos: false } } }, "https.acme.agreeTos", "terms"],
    [
      { https: { acme: { domains: ["a.example"], agreeTos: true, directory: "http://ca/" } } },
      "https.acme.directory",
      "https",
    ],
    [{ https: { acme: { domains: ["a.example"], agreeTos: true } } }, "https.acme.storage", "no home"],
    [{ http2: { maxStreams: 0 } }, "http2.maxStreams", "give a whole number from 1"],
    [{ http: "redirect" }, "http", 'give the option "https" too'],
    [{ proxyProtocol: true }, "proxyProtocol", 'with the option "trustedProxies"'],
    [{ health: { passive: { maxFails: 0 } } }, "health.passive.maxFails", "whole number"],
    [null, "options", "object"],
  ])("refuse %j by name, with the remedy", (options, option, remedy) => {
    expect(() => parse(options)).toThrow(
      expect.objectContaining({ code: "LB_OPTION", option, message: expect.stringContaining(remedy) }),
    );
  });

  it.each([
    ["WEB_CONCURRENCY", "many"],
    ["WEB_CONCURRENCY", "0"],
    ["PORT", "70000"],
    ["PORT", "/run/app.sock"],
  ])("refuse the environment's %s=%s", (name, value) => {
    expect(() => parse({}, { [name]: value })).toThrow(
      expect.objectContaining({ option: `env.${name}`, message: expect.stringContaining(JSON.stringify(value)) }),
    );
  });

  it("can be written with every name of a strategy", () => {
    const options: ClusterOptions = { strategy: "maglev" };
    expect(parse(options).strategy.name).toBe("maglev");
  });
});

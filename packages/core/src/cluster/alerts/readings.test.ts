import { expect, test } from "vitest";
import type { ClusterSight } from "../../control/cluster-sight.ts";
import type { CertificateStatus, InstanceStatus, Standing } from "../../control/status.ts";
import { History, type Span } from "../../facts/history.ts";
import { noLatencies } from "../../facts/latency-histogram.ts";
import { alertSchema } from "../../options/alert-options.ts";
import { parseOptions } from "../../options/validation.ts";
import {
  backendReadings,
  certificateReadings,
  instanceReadings,
  type Look,
  machineReadings,
  redisReadings,
  subjectsOf,
  trafficReadings,
} from "./readings.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 27);
const { on } = parseOptions(alertSchema, { to: [() => {}] }, "alerts");

function looking(spans: readonly Partial<Span>[]): Look {
  const history = new History();
  const idle = {
    bytesIn: 0,
    bytesOut: 0,
    clientErrors: 0,
    latency: noLatencies,
    inFlight: 0,
    waiting: 0,
    connections: 0,
  };
  for (const span of spans)
    history.add({ ...idle, at: 0, ms: 1_000, requests: 0, failures: 0, cpu: 0, rssBytes: 0, loopLagMs: 0, ...span });
  return { sight: { history } as ClusterSight, on, machine: { processors: 4, memoryBytes: 1_000 }, now };
}

const instance = (id: number, state: InstanceStatus["state"]) => ({ id, state, lastExit: null, vitals: null });

/** Of a status what is looked at. */
const statusOf = (
  instances: readonly object[],
  backends: readonly object[] = [],
  certificates: readonly object[] = [],
) => ({ instances, backends, certificates }) as unknown as Standing;

test.each([
  [[{ requests: 1_000, failures: 51 }], "bad"],
  [[{ requests: 1_000, failures: 50 }], "between"],
  [[{ requests: 1_000, failures: 25 }], "good"],
  // Too few to say that much fails, or that it does not any more.
  [[{ requests: 40, failures: 40 }], "between"],
  [[{ requests: 40, failures: 0 }], "good"],
  [[], "good"],
  // Of all of the last minute, and no more.
  [[{ requests: 500, failures: 500 }, ...Array.from({ length: 60 }, () => ({ requests: 5 }))], "good"],
  [[{ requests: 500, failures: 500 }, ...Array.from({ length: 59 }, () => ({ requests: 5 }))], "bad"],
])("the error rate of %j is %s", (spans, seen) => {
  expect(trafficReadings(looking(spans))).toMatchObject([{ rule: "errorRate", seen }]);
});

test("processors and memory are parts of what the machine has", () => {
  const readings = machineReadings(looking([{ cpu: 3.3, rssBytes: 750 }]));
  expect(readings).toMatchObject([
    { rule: "cpu", seen: "bad", summary: "the cluster uses 83 % of the processors (4)" },
    { rule: "memory", seen: "between" },
  ]);
});

test("a backend is down when none of its endpoints is ready; one without any is none", () => {
  const backends = [
    { name: "api", endpoints: [{ state: "unhealthy" }, { state: "draining" }], instances: [] },
    { name: "py", endpoints: [], instances: [instance(1, "ready")] },
    { name: "empty", endpoints: [], instances: [] },
  ];
  const seen = backendReadings(statusOf([instance(1, "stopped"), instance(2, "crash-loop")], backends));
  expect(seen.map(({ subject, seen: how }) => `${subject} ${how}`)).toEqual([
    "the app bad",
    "backend api bad",
    "backend py good",
    "backend empty good",
  ]);
});

test("of an instance that starts nothing is said, and of one that is gone that it is", () => {
  const status = statusOf([instance(1, "ready"), instance(2, "starting"), instance(3, "unhealthy")]);
  const readings = instanceReadings(status);
  expect(readings.map(({ subject, seen }) => `${subject} ${seen}`)).toEqual(["instance 1 good", "instance 3 bad"]);
  expect(subjectsOf(status, readings).get("instance")).toEqual(new Set(["instance 1", "instance 2", "instance 3"]));
});

test("Redis is away while an instance says that it does not reach it; who has none says nothing", () => {
  const reaching = (id: number, redis?: string) => ({
    ...instance(id, "ready"),
    vitals: redis === undefined ? null : { redis },
  });
  const seen = (...instances: object[]) => redisReadings(statusOf(instances)).map((reading) => reading.seen);
  expect(seen(reaching(1), reaching(2))).toEqual([]);
  expect(seen(reaching(1, "ready"), reaching(2))).toEqual(["good"]);
  expect(seen(reaching(1, "ready"), reaching(2, "connecting"))).toEqual(["between"]);
  expect(redisReadings(statusOf([reaching(1, "degraded"), reaching(2, "degraded")]))).toMatchObject([
    { seen: "bad", summary: "Redis is away: instances 1 and 2 cannot reach the others over it" },
  ]);
});

test("a certificate: seven days, of a short-lived one a third of its life; critical in the last day", () => {
  const certificate = (lifeDays: number, leftDays: number) => ({
    names: [`${lifeDays}.test`],
    validFrom: new Date(now + (leftDays - lifeDays) * dayMs).toISOString(),
    expiresAt: new Date(now + leftDays * dayMs).toISOString(),
  });
  const all = [certificate(90, 8), certificate(90, 6), certificate(6, 3), certificate(6, 1.5), certificate(90, -1)];
  const readings = certificateReadings(looking([]), statusOf([], [], all as unknown as CertificateStatus[]));
  expect(readings.map(({ seen, severity }) => `${seen} ${severity}`)).toEqual([
    "good warning",
    "bad warning",
    "good warning",
    "bad warning",
    "bad critical",
  ]);
  expect(readings[4]!.summary).toBe("the certificate of 90.test has expired");
});

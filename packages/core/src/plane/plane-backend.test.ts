import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Transport } from "../front/transport/upstream.ts";
import { parseClusterOptions } from "../options/cluster-settings.ts";
import { PlaneBackend } from "./plane-backend.ts";
import { PlaneInFlight } from "./plane-limits.ts";
import type { ReachedEndpoint } from "./plane-messages.ts";

function startBackend() {
  const given = { api: { endpoints: ["http://10.0.0.1"] } };
  const { backends } = parseClusterOptions({ backends: given }, { env: {}, parallelism: 1, random: () => 0 });
  return new PlaneBackend({
    name: "api",
    settings: backends["api"]!,
    socketIo: false,
    backendHeader: false,
    strategies: [],
    secret: "0123456789abcdef",
    clock: new ManualClock(),
    random: () => 0,
    transport: ({ endpoint }): Transport => ({ endpoint, open: () => expect.unreachable(), close: () => {} }),
    keyFailed: () => {},
    limits: new PlaneInFlight({ clock: new ManualClock(), tell: () => {} }),
    tell: () => {},
  });
}

const address = { kind: "tcp", host: "10.0.0.1", port: 80 } as const;

const reached = (incarnation: number, weight = 1): ReachedEndpoint => ({
  endpoint: { id: "api http://10.0.0.1", slot: 0, incarnation, weight, address },
  reach: { kind: "http1", address },
  shownAs: "http://10.0.0.1",
});

function update(backend: PlaneBackend, ...endpoints: readonly ReachedEndpoint[]): void {
  backend.update({ kind: "backend", backend: "api", endpoints });
}

test("an endpoint whose weight changes is another one at the same place", () => {
  const backend = startBackend();
  update(backend, reached(1));
  update(backend, reached(2, 5));
  expect(backend.balancer.roster.endpoints.map(({ weight }) => weight)).toEqual([5]);
  backend.probed("api http://10.0.0.1", true);
  backend.close();
});

test("BAD-INPUTS 190: an endpoint that comes back before its last request has ended is there to stay", async () => {
  const backend = startBackend();
  update(backend, reached(1));
  const lease = backend.balancer.acquire({});
  if (lease.kind !== "lease") throw new Error(lease.reason);
  update(backend);
  update(backend, reached(2));
  lease.release({ kind: "cancelled" });
  await new Promise(setImmediate);
  expect(backend.balancer.roster.endpoints.map(({ incarnation }) => incarnation)).toEqual([2]);
  // It is known: it can be waited for.
  let drained = false;
  const again = backend.balancer.acquire({});
  void backend.drained("api http://10.0.0.1").then(() => {
    drained = true;
  });
  await new Promise(setImmediate);
  expect([again.kind, drained]).toEqual(["lease", false]);
  backend.close();
});

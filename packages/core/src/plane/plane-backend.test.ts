import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Transport } from "../front/transport/upstream.ts";
import { backendSettings, backendsSchema } from "../options/backend-options.ts";
import { parseOptions } from "../options/validation.ts";
import { PlaneBackend } from "./plane-backend.ts";
import type { ReachedEndpoint } from "./plane-messages.ts";

function startBackend() {
  const parsed = parseOptions(backendsSchema, { api: { endpoints: ["http://10.0.0.1"] } }, "backends");
  return new PlaneBackend({
    name: "api",
    settings: backendSettings(parsed, { isRead: true, parallelism: 1, heartbeat: true })["api"]!,
    strategies: [],
    secret: "0123456789abcdef",
    clock: new ManualClock(),
    random: () => 0,
    transport: ({ endpoint }): Transport => ({ endpoint, open: () => expect.unreachable(), close: () => {} }),
    keyFailed: () => {},
    tell: () => {},
  });
}

const address = { kind: "tcp", host: "10.0.0.1", port: 80 } as const;

const reached = (incarnation: number, weight = 1): ReachedEndpoint => ({
  endpoint: { id: "api http://10.0.0.1", slot: 0, incarnation, weight, address },
  reach: { kind: "http1", address },
  shownAs: "http://10.0.0.1",
});

test("an endpoint whose weight changes is another one at the same place", () => {
  const backend = startBackend();
  backend.update([reached(1)]);
  backend.update([reached(2, 5)]);
  expect(backend.balancer.roster.endpoints.map(({ weight }) => weight)).toEqual([5]);
  backend.probed("api http://10.0.0.1", true);
  backend.close();
});

test("BAD-INPUTS 190: an endpoint that comes back before its last request has ended is there to stay", async () => {
  const backend = startBackend();
  backend.update([reached(1)]);
  const lease = backend.balancer.acquire({});
  if (lease.kind !== "lease") throw new Error(lease.reason);
  backend.update([]);
  backend.update([reached(2)]);
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

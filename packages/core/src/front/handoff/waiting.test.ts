import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { endpointsInSlots } from "../../../test/support/endpoints.ts";
import { createTestBalancer } from "../../../test/support/test-balancer.ts";
import type { HandoffRefusal, HandoffTarget } from "./handoff-context.ts";
import type { HandoffLane } from "./handoff-lane.ts";
import { waitForWorker } from "./waiting.ts";

function wait() {
  const balancer = createTestBalancer();
  onTestFinished(() => balancer.close());
  const decisions: (HandoffTarget | HandoffRefusal)[] = [];
  const leave = waitForWorker({
    balancer,
    request: {},
    targetOf: (lease) => ({ kind: "target", lane: {} as HandoffLane, lease }),
    decided: (decision) => decisions.push(decision),
  });
  const inFlight = () => balancer.status().endpoints[0]?.inFlight;
  return { balancer, decisions, leave, inFlight, join: () => balancer.update(endpointsInSlots(1)) };
}

test("a worker that comes is told of in a later turn", async () => {
  const { decisions, inFlight, join } = wait();
  join();
  expect([decisions.length, inFlight()]).toEqual([0, 1]);
  await nextTurn();
  expect(decisions).toEqual([expect.objectContaining({ kind: "target" })]);
  expect(inFlight()).toBe(1);
});

test("who has left by then hears nothing, and holds no lease", async () => {
  const { balancer, decisions, leave, inFlight, join } = wait();
  join();
  leave();
  expect(inFlight()).toBe(0);
  await nextTurn();
  await nextTurn();
  expect(decisions).toEqual([]);
  expect(balancer.status().waiting).toBe(0);
});

test("who leaves before waits no more", async () => {
  const { balancer, decisions, leave, inFlight, join } = wait();
  leave();
  expect(balancer.status().waiting).toBe(0);
  join();
  await nextTurn();
  expect([decisions.length, inFlight()]).toEqual([0, 0]);
});

test("where nobody comes it is refused", async () => {
  const { balancer, decisions } = wait();
  balancer.close();
  await nextTurn();
  expect(decisions).toEqual([{ kind: "refusal", status: 503, reason: "closed", retryAfterSeconds: 1 }]);
});

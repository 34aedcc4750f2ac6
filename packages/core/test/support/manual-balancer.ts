import { Balancer, type BalancerOptions, type Lease } from "../../src/balancer/balancer.ts";
import type { BalancerEvent } from "../../src/balancer/status.ts";
import { HealthTracker } from "../../src/health/tracker.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import type { HealthSettings } from "../../src/options/health-options.ts";
import { roundRobin, type Strategy } from "../../src/strategies/index.ts";
import { balancerDefaults, healthDefaults } from "./default-settings.ts";
import { endpointsInSlots } from "./endpoints.ts";
import { ManualClock } from "./manual-clock.ts";

export const success: Outcome = { kind: "success" };
export const refused: Outcome = { kind: "failure", reason: "connect" };
export const reset: Outcome = { kind: "failure", reason: "reset" };

interface Setup extends Partial<Omit<BalancerOptions, "health">> {
  readonly health?: Partial<HealthSettings>;
}

/** A balancer over endpoints 0, 1, 2, … on a manual clock; takes them in turn unless told otherwise. */
export function balance(count: number, { health, ...options }: Setup = {}) {
  const clock = new ManualClock();
  const tracker = new HealthTracker({ settings: { ...healthDefaults, ...health }, clock });
  const balancer = new Balancer({ strategy: roundRobin(), clock, ...balancerDefaults, ...options, health: tracker });
  const events: BalancerEvent[] = [];
  balancer.subscribe((event) => events.push(event));
  const all = endpointsInSlots(count);
  balancer.update(all);
  const acquire = (exclude?: ReadonlySet<Endpoint>): Lease => {
    const found = balancer.acquire({}, exclude);
    if (found.kind !== "lease") throw new Error(`No lease: ${found.reason}`);
    return found;
  };
  return {
    clock,
    balancer,
    all,
    acquire,
    events,
    ids: (times: number) => Array.from({ length: times }, () => acquire().endpoint.id).join(""),
    statusOf: (index: number) => balancer.status().endpoints.find(({ endpoint }) => endpoint === all[index])!,
    told: (type: BalancerEvent["type"]) => events.filter((event) => event.type === type),
  };
}

/** A strategy that counts how often it is asked for a picker, and always takes the first candidate it may. */
export function firstOf() {
  const pickers: string[] = [];
  const strategy: Strategy = {
    name: "first",
    picker(candidates) {
      pickers.push(candidates.map(({ endpoint }) => endpoint.id).join(""));
      return {
        pick: (_request, exclude) => candidates.find(({ endpoint }) => !exclude?.has(endpoint)) ?? candidates[0],
      };
    },
  };
  return { strategy, pickers };
}

import { Balancer } from "../../src/balancer/balancer.ts";
import { HealthTracker } from "../../src/health/tracker.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { HealthOptions } from "../../src/options/health-options.ts";
import { healthSchema } from "../../src/options/health-options.ts";
import type { WaitQueueSettings } from "../../src/options/queue-options.ts";
import { parseOptions } from "../../src/options/validation.ts";
import { roundRobin } from "../../src/strategies/index.ts";
import { balancerDefaults } from "./default-settings.ts";

export interface TestBalancerOptions extends Partial<WaitQueueSettings> {
  readonly health?: HealthOptions;
}

/** Takes its endpoints in turn, so that a test knows who is next; health is off unless given. */
export function createTestBalancer({ health, ...queue }: TestBalancerOptions = {}): Balancer {
  const settings = parseOptions(healthSchema, health ?? { passive: false, outlier: false, slowStartMs: 0 }, "health");
  return new Balancer({
    clock: systemClock,
    strategy: roundRobin(),
    health: new HealthTracker({ settings, clock: systemClock }),
    ...balancerDefaults,
    queue: { ...balancerDefaults.queue, ...queue },
  });
}

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { sharedRedis } from "./support/redis-server.ts";
import { describeScenarios } from "./support/scenarios.ts";

let redis: Awaited<ReturnType<typeof sharedRedis>>;
beforeAll(async () => {
  redis = await sharedRedis();
});
afterAll(() => redis.dispose());

const prefix = () => `lb-test-${randomUUID()}`;

describeScenarios("over Redis", () => ({ redis: redis.url, prefix: prefix() }));
describeScenarios("over sharded Redis", () => ({ redis: redis.url, prefix: prefix(), sharded: true }));
describeScenarios("over a Redis stream", () => ({ redis: redis.url, prefix: prefix(), streams: true }));

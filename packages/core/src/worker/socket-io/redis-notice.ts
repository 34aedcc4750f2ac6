/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.redis");

/** `degraded`: events do not reach the other instances over it. */
export type RedisReach = "connecting" | "ready" | "degraded";

/** Each by whom it was noted: a process may have several servers of Socket.IO. */
function reaches(): Map<object, RedisReach> {
  const shared = globalThis as { [key]?: Map<object, RedisReach> };
  shared[key] ??= new Map();
  return shared[key];
}

/** How `owner` reaches its Redis; undefined: no more. */
export function noteRedis(owner: object, reach: RedisReach | undefined): void {
  if (reach === undefined) reaches().delete(owner);
  else reaches().set(owner, reach);
}

/** The worst of all; undefined: this process needs no Redis. */
export function redisReach(): RedisReach | undefined {
  const all = [...reaches().values()];
  return (["degraded", "connecting", "ready"] as const).find((reach) => all.includes(reach));
}

const firstMs = 50;
const mostMs = 2_000;

/**
 * How long to wait before the next attempt to connect, after `attempts` in vain: doubled each time up to 2 s, and spread,
 * so that not all instances knock at the same moment.
 */
export function reconnectDelayMs(attempts: number, random: () => number = Math.random): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(attempts, 16));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}

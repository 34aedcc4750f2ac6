import type { Clock } from "@lb/core";
import type { OwnRedisClient } from "./redis-client.ts";

/** Between two attempts to read what cannot be read. In milliseconds. */
const retryMs = 1_000;
/** Before every entry there can be. */
const beginning = "0-0";

/**
 * Makes the adapter's loop of blocking reads on `client` safe. It starts over at once when a read fails, which would keep
 * a core busy: failures are told late. And it reads from `$`, "what comes from now on", again and again until there is a
 * first entry; what is added between two such reads would be lost: it gets the place at which the first one began.
 */
export function readWithoutGaps(client: OwnRedisClient, failed: (error: Error) => void, clock: Clock): void {
  const read = client.xread.bind(client);
  let start: Promise<string> | undefined;
  const startOf = (stream: string): Promise<string> => {
    start ??= client.xrevrange(stream, "+", "-", "COUNT", 1).then(
      (entries) => entries[0]?.[0] ?? beginning,
      (error) => {
        start = undefined;
        throw error;
      },
    );
    return start;
  };
  client.xread = async (...args) => {
    try {
      const [stream, from] = args.slice(-2) as [string, string];
      return await read(...args.slice(0, -1), from === "$" ? await startOf(stream) : from);
    } catch (error) {
      // Closed by us: the loop ends here.
      if (client.status === "end") return new Promise(() => {});
      failed(error as Error);
      await new Promise<void>((resolve) => clock.after(retryMs, resolve));
      throw error;
    }
  };
}

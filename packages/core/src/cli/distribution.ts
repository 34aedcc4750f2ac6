import { request } from "node:http";

/** Sends `count` requests, each on a connection of its own, and counts who answered. */
export async function distribution(url: string, count: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const lanes = Math.min(8, count);
  let sent = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (sent < count) {
        sent += 1;
        const outcome = await once(url);
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    }),
  );
  return counts;
}

function once(url: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(url, { agent: false, timeout: 10_000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(`status ${response.statusCode}`));
      response.on("error", (error) => resolve(`cut off: ${error.message}`));
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}

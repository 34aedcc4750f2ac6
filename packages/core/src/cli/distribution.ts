import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { request as secureRequest } from "node:https";

/** Sends `count` requests for `path`, each on a connection of its own, and counts who answered. `url` as a status has it. */
export async function distribution(url: string, path: string, count: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const lanes = Math.min(8, count);
  let sent = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (sent < count) {
        sent += 1;
        const outcome = await once(url, path);
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    }),
  );
  return counts;
}

function once(url: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const respond = (response: IncomingMessage) => {
      response.resume();
      response.on("end", () => resolve(`status ${response.statusCode}`));
      response.on("error", (error) => resolve(`cut off: ${error.message}`));
    };
    const sent = send(url, { path, agent: false, timeout: 10_000 }, respond);
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}

function send(url: string, options: RequestOptions, respond: (response: IncomingMessage) => void) {
  if (url.startsWith("unix:")) return request({ ...options, socketPath: url.slice("unix:".length) }, respond);
  // Its certificate is for a name by which others reach it.
  if (url.startsWith("https:")) return secureRequest(new URL(url), { ...options, rejectUnauthorized: false }, respond);
  return request(new URL(url), options, respond);
}

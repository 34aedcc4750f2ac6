import { onTestFinished } from "vitest";
import { idleGraceMs } from "../../src/model/idle-grace.ts";
import type { RawClient } from "./raw-client.ts";

export interface PostingLedger {
  answered: number;
  /** Requests that were sent on an open connection and got no answer. */
  unanswered: number;
  /** Such of a client that may have been silent for so long, since this process stood still, that its connection could be ended. */
  late: number;
  /** Connections that were not to be had. */
  refused: number;
}

interface Posting {
  readonly port: number;
  readonly connect: (port: number) => Promise<RawClient>;
  /** Default `"/"`. */
  readonly path?: string;
}

const postTo = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`;

/**
 * Clients that POST on kept-alive connections, one request after the other, each a moment after the last answer, and come
 * anew when told that it was the last. They stop when they are refused, or told to.
 */
export function startPosting({ port, connect, path = "/" }: Posting, count: number, pauseMs = 20) {
  const ledger: PostingLedger = { answered: 0, unanswered: 0, late: 0, refused: 0 };
  let stopped = false;
  onTestFinished(() => {
    stopped = true;
  });
  const run = async () => {
    while (!stopped) {
      const since = performance.now();
      const client = await connect(port).catch(() => undefined);
      if (client === undefined) {
        ledger.refused++;
        return;
      }
      await postOn(client, since);
      client.destroy();
    }
  };
  /** `since`: it was not idle yet. */
  const postOn = async (client: RawClient, since: number) => {
    for (let spokeAt = since; !stopped && !client.ended; ) {
      const silentMs = performance.now() - spokeAt;
      spokeAt = performance.now();
      const answer = await client
        .send(postTo(path))
        .response()
        .catch(() => undefined);
      if (answer === undefined) {
        if (silentMs < idleGraceMs) ledger.unanswered++;
        else ledger.late++;
        return;
      }
      ledger.answered++;
      if (answer.headers["connection"] === "close") {
        await client.closed;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs));
    }
  };
  const ended = Promise.all(Array.from({ length: count }, run));
  return {
    ledger,
    /** All have been refused, or have stopped. */
    ended,
    stop() {
      stopped = true;
      return ended;
    },
  };
}

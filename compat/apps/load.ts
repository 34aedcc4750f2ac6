import http from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { ask } from "./answers.ts";
import type { Ask } from "./app.ts";

const clients = 6;

/** Between one answer and the next request of a client: steady, and other programs may run too. */
const pauseMs = 10;

export interface LoadResult {
  readonly answered: number;
  readonly failed: number;
  /** The first failure in words. */
  readonly example: string | undefined;
}

export interface Load {
  /** Resolves when so many more requests have been answered, or one has failed. */
  progress(requests: number): Promise<void>;
  stop(): Promise<LoadResult>;
}

/** Several clients on kept-alive connections, each asking for the same thing over and over. */
export function startLoad(base: string, request: Ask, expectedStatus: number): Load {
  let stopped = false;
  let answered = 0;
  let failed = 0;
  let example: string | undefined;

  const fail = (what: string) => {
    failed += 1;
    example ??= what;
  };
  const client = async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopped) {
      try {
        const { status } = await ask(base, request, agent);
        if (status === expectedStatus) answered += 1;
        else fail(`status ${status}`);
      } catch (error) {
        fail((error as Error).message);
      }
      await after(pauseMs);
    }
    agent.destroy();
  };
  const running = Array.from({ length: clients }, client);
  return {
    async progress(requests) {
      const goal = answered + requests;
      const failures = failed;
      while (answered < goal && failed === failures) await after(pauseMs);
    },
    async stop() {
      stopped = true;
      await Promise.all(running);
      return { answered, failed, example };
    },
  };
}

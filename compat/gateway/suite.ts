import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import fastify, { type FastifyInstance } from "fastify";

/** One test of another project, as it is for `@lb/express`. */
export interface Case {
  /** The file that it is in there. */
  readonly file: string;
  /** Its name there. */
  readonly name: string;
  /** Throws where what the test says does not hold. */
  readonly run: (stage: Stage) => Promise<void>;
  /** Why it does not hold, where that is known and meant. */
  readonly differs?: string;
}

export interface TestFile {
  /** How many tests it has there. */
  readonly tests: number;
  /** Why those are not here that are not. */
  readonly rest?: string;
}

/** The tests of one project. */
export interface Suite {
  readonly project: string;
  readonly version: string;
  readonly source: string;
  /** All files of its tests. */
  readonly files: Readonly<Record<string, TestFile>>;
  readonly cases: readonly Case[];
}

/** Servers of one case, which end with it. */
export class Stage {
  readonly #closing: (() => Promise<unknown>)[] = [];

  /** A target; returns its URL. */
  async target(listener: RequestListener): Promise<string> {
    return this.#listening(createServer(listener));
  }

  async express(build: (app: Express) => void): Promise<string> {
    const app = express();
    build(app);
    return this.#listening(createServer(app));
  }

  async fastify(build: (app: FastifyInstance) => unknown): Promise<string> {
    const app = fastify();
    this.#closing.push(() => app.close());
    await build(app);
    return app.listen({ port: 0, host: "127.0.0.1" });
  }

  /** Ends what `end` ends, last of all. */
  after(end: () => Promise<unknown>): void {
    this.#closing.push(end);
  }

  async close(): Promise<void> {
    for (const end of this.#closing.toReversed()) await end();
  }

  async #listening(server: Server): Promise<string> {
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    this.#closing.push(
      () =>
        new Promise((closed) => {
          server.close(closed);
          server.closeAllConnections();
        }),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

import { createServer, type Server } from "node:http";
import { middlewareOf } from "../bindings/express-call.ts";
import type { Guard } from "../call.ts";

/** A server for what `guard` answers, and nothing else. It keeps no process from ending. */
export class HealthPort {
  readonly #server: Server;

  constructor(guard: Guard, listen: number | { readonly port: number; readonly host?: string | undefined }) {
    const answer = middlewareOf(guard);
    this.#server = createServer((request, response) => {
      answer(request, response, (error) => response.writeHead(error === undefined ? 404 : 500).end());
    });
    const { port, host } = typeof listen === "number" ? { port: listen, host: undefined } : listen;
    this.#server.listen({ port, host }).unref();
  }

  close(): Promise<void> {
    return new Promise((closed) => {
      this.#server.close(() => closed());
      this.#server.closeIdleConnections();
    });
  }
}

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { ownCertificate, type TestAuthority } from "./pebble.ts";

/** What is done to a request in place of passing it on; false: nothing. */
export type Fault = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Stands before an authority and is its address to clients: so that it can fail as real ones do, say when certificates are to
 * be renewed, and be another one tomorrow. Passes the `Host` field on, by which pebble makes its addresses.
 */
export class AuthorityProxy implements TestAuthority {
  readonly ca: string;
  /** Paths, in the order in which they were asked for. */
  readonly asked: string[] = [];
  target: TestAuthority;
  fault: Fault = () => false;
  /** What is said of the renewal of each certificate, if anything. */
  renewal: ((name: string) => { readonly start: Date; readonly end: Date }) | undefined;
  readonly #server;
  #port = 0;

  private constructor(target: TestAuthority) {
    const own = ownCertificate();
    this.target = target;
    this.ca = own.cert;
    this.#server = createServer(own, (request, response) => this.#pass(request, response));
  }

  static async start(target: TestAuthority): Promise<AuthorityProxy> {
    const proxy = new AuthorityProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    onTestFinished(() => {
      proxy.#server.closeAllConnections();
      proxy.#server.close();
    });
    return proxy;
  }

  get directory(): string {
    return `https://127.0.0.1:${this.#port}/dir`;
  }

  /** How many that were finished: each request may come again for its nonce. */
  get orders(): number {
    return new Set(this.asked.filter((path) => path.startsWith("/finalize-order/"))).size;
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    const path = incoming.url!;
    this.asked.push(path);
    if (this.fault(path, incoming, response)) return;
    if (path.startsWith("/renewal/")) {
      const { start, end } = this.renewal!(path.slice("/renewal/".length));
      json(
        response,
        200,
        { suggestedWindow: { start: start.toISOString(), end: end.toISOString() } },
        { "Retry-After": "21600" },
      );
      return;
    }
    const { method, headers } = incoming;
    const outgoing = request(new URL(path, this.target.directory), {
      method,
      headers,
      ca: this.target.ca,
      agent: false,
    });
    outgoing.on("error", () => response.destroy());
    outgoing.on("response", async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      let body = Buffer.concat(chunks).toString();
      if (path === "/dir" && this.renewal !== undefined) {
        body = JSON.stringify({ ...JSON.parse(body), renewalInfo: `https://127.0.0.1:${this.#port}/renewal` });
      }
      const { "transfer-encoding": _, "content-length": __, ...fields } = answer.headers;
      response.writeHead(answer.statusCode!, fields).end(body);
    });
    incoming.pipe(outgoing);
  }
}

export function json(
  response: ServerResponse,
  status: number,
  body: object,
  fields: Record<string, string> = {},
): true {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response.writeHead(status, { "Content-Type": type, ...fields }).end(JSON.stringify(body));
  return true;
}

/** As authorities refuse. */
export function problem(
  response: ServerResponse,
  status: number,
  type: string,
  fields: Record<string, string> = {},
): true {
  return json(response, status, { type: `urn:ietf:params:acme:error:${type}`, detail: `${type}, for a test` }, fields);
}

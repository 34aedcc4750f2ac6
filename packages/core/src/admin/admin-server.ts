import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../model/clock.ts";
import { ListenError } from "../model/listen-error.ts";
import { addressText, type ListenerAddress } from "../model/listener-address.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import { removeAbandonedSocket } from "../unix/abandoned-socket.ts";
import type { EventStream } from "./event-stream.ts";
import { AdminGuard } from "./guard.ts";
import type { Page, PageAnswer, PageRequest } from "./page.ts";

export interface AdminServerOptions {
  readonly settings: AdminSettings;
  /** By path. */
  readonly pages: Readonly<Record<string, Page>>;
  /** At `/api/events`. */
  readonly events: EventStream;
  readonly clock: Clock;
}

/** Nobody who looks on may take much of what the traffic needs. */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const maxConnections = 64;

/** A connection on which nothing moves for so long is cut: whoever asked does not read. */
const idleMs = 15_000;

/** Nothing of ours is embedded anywhere, and nothing of others in it. */
const fieldsOfAll = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

/** The listener of those who look at a cluster: never one of the public ones. */
export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #guard: AdminGuard;
  readonly #server: Server;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#guard = new AdminGuard(options.settings, options.clock);
    this.#server = createServer(limits, (request, response) => this.#answer(request, response));
    this.#server.maxConnections = maxConnections;
    this.#server.setTimeout(idleMs);
    // Requests with an upgrade are requests like others.
    this.#server.on("connect", (_, socket) => socket.destroy());
  }

  /**
   * Resolves with where it is.
   *
   * @throws ListenError if none of the places can be had
   */
  async listen(): Promise<string> {
    const { place } = this.#options.settings;
    if (place.kind === "unix") {
      await removeAbandonedSocket(place.path);
      return this.#listenOn({ kind: "unix", path: place.path });
    }
    const [first, ...others] = place.ports;
    let failure: unknown;
    for (const port of [first!, ...others]) {
      try {
        return await this.#listenOn({ kind: "tcp", host: place.host, port });
      } catch (error) {
        failure ??= error;
        if ((error as ListenError).code !== "LB_PORT_BUSY") break;
      }
    }
    throw failure;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #listenOn(address: Exclude<ListenerAddress, { readonly kind: "fd" }>): Promise<string> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const failed = (cause: Error) => {
        server.off("listening", listening);
        reject(new ListenError({ address, remedy: 'the option "admin"' }, cause));
      };
      const listening = () => {
        server.off("error", failed);
        // Without descriptors for a while nobody is accepted here; the front tells of that.
        server.on("error", () => {});
        if (address.kind === "unix") resolve(addressText(address));
        else resolve(`http://${addressText({ ...address, port: (server.address() as AddressInfo).port })}`);
      };
      server.once("error", failed).once("listening", listening);
      if (address.kind === "tcp") server.listen({ host: address.host, port: address.port });
      else {
        // The file is made within the call. With a mode set afterwards, others could connect before that.
        const umask = process.umask(0o117);
        try {
          server.listen({ path: address.path });
        } finally {
          process.umask(umask);
        }
      }
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { settings, pages, events } = this.#options;
    for (const [name, value] of Object.entries(fieldsOfAll)) response.setHeader(name, value);
    // Bodies are nobody's here: what follows one is not read.
    if ("content-length" in request.headers || "transfer-encoding" in request.headers) {
      response.setHeader("connection", "close");
    }
    const verdict = this.#guard.judge({
      method: request.method ?? "",
      target: request.url ?? "",
      host: request.headers.host,
      authorization: request.headers.authorization,
      remoteAddress: settings.place.kind === "unix" ? undefined : request.socket.remoteAddress,
    });
    if (verdict.kind === "refused") {
      for (const [name, value] of Object.entries(verdict.fields)) response.setHeader(name, value);
      answerStatus(response, verdict.status);
      return;
    }
    if (verdict.url.pathname === "/api/events") {
      if (!events.watch(request, response)) answerStatus(response, 503);
      return;
    }
    const page = Object.hasOwn(pages, verdict.url.pathname) ? pages[verdict.url.pathname] : undefined;
    if (page === undefined) {
      answerStatus(response, 404);
      return;
    }
    const { status, contentType, body } = shown(page, {
      query: verdict.url.searchParams,
      accept: request.headers.accept ?? "",
    });
    response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) }).end(body);
  }
}

/** A mistake of ours in a page is told to who asked for it, and must not be the end of the traffic. */
function shown(page: Page, request: PageRequest): PageAnswer {
  try {
    return page(request);
  } catch (error) {
    return { status: 500, contentType: "text/plain; charset=utf-8", body: `500 ${(error as Error).message}\n` };
  }
}

function answerStatus(response: ServerResponse, status: number): void {
  const body = `${status} ${STATUS_CODES[status]}\n`;
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": body.length }).end(body);
}

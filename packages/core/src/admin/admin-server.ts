import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { SecureContextOptions } from "node:tls";
import type { Clock } from "../model/clock.ts";
import type { HandedSocket } from "../model/handed-socket.ts";
import { ListenError } from "../model/listen-error.ts";
import { addressText, type ListenerAddress } from "../model/listener-address.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import type { Certificate } from "../tls/certificate.ts";
import { tlsProfiles } from "../tls/tls-profile.ts";
import { removeAbandonedSocket } from "../unix/abandoned-socket.ts";
import { descriptorOf } from "../unix/descriptor.ts";
import { OwnSocket, removeSocket } from "../unix/own-socket.ts";
import type { EventStream } from "./event-stream.ts";
import { AdminGuard, type AdminSecrets, type Refused } from "./guard.ts";
import { maxBodyBytes } from "./intent.ts";
import { errorAnswer, type Page, type PageAnswer, type PostPage } from "./page.ts";
import { postedBody } from "./posted-body.ts";

export interface AdminServerOptions {
  readonly settings: AdminSettings;
  /** Undefined: it speaks no TLS. */
  readonly certificate: Certificate | undefined;
  /** By path. */
  readonly pages: Readonly<Record<string, Page>>;
  /** What takes POST, by path. */
  readonly posts: Readonly<Record<string, PostPage>>;
  /** Somebody who was let in may not have done what he asked for, and why. */
  readonly refused: (refusal: { readonly by: string; readonly address: string; readonly why: string }) => void;
  /** At `/api/events`. */
  readonly events: EventStream;
  /** Of a process in whose place this one is: its socket, which is open already, and what it gave to whoever looks. */
  readonly before?: AdminEstate | undefined;
  readonly clock: Clock;
}

/** What one admin listener leaves to another. */
export interface AdminEstate {
  readonly socket: HandedSocket;
  readonly secrets: AdminSecrets;
}

/** Nobody who looks on may take much of what the traffic needs. */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const maxConnections = 64;
/** An answer takes no longer, but for what lasts as long as somebody looks. */
const leaveMs = 1_000;

/** A connection on which nothing moves for so long is cut: whoever asked does not read. */
const idleMs = 15_000;

/** Nothing of ours is embedded anywhere, and nothing of others in it; what runs is a file of ours, and never text in a page. */
const fieldsOfAll = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
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
  readonly guard: AdminGuard;
  readonly #server: Server | TlsServer;
  #address: ListenerAddress | undefined;
  #ownSocket: OwnSocket | undefined;
  /** Somebody else accepts from the same socket. */
  #isShared: boolean;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.guard = new AdminGuard(
      options.settings,
      options.clock,
      (path) => Object.hasOwn(options.posts, path),
      options.before?.secrets,
    );
    this.#isShared = options.before !== undefined;
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    const { certificate } = options;
    this.#server =
      certificate === undefined
        ? createServer(limits, answer)
        : createTlsServer({ ...limits, ...contextOf(certificate), handshakeTimeout: limits.headersTimeout }, answer);
    this.#server.maxConnections = maxConnections;
    this.#server.timeout = idleMs;
    // Requests with an upgrade are requests like others.
    this.#server.on("connect", (_, socket) => socket.destroy());
  }

  /**
   * Resolves with where it is; where its socket was handed over, `accept` begins.
   *
   * @throws ListenError if none of the places can be had
   */
  async listen(): Promise<string> {
    const { settings, before } = this.#options;
    const { place } = settings;
    if (before !== undefined) return this.#found(before.socket.address);
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

  /** New handshakes get it. */
  renew(certificate: Certificate): void {
    (this.#server as TlsServer).setSecureContext(contextOf(certificate));
  }

  /** Accepts from the socket that was handed over, if it was. */
  async accept(): Promise<void> {
    const { before } = this.#options;
    if (before === undefined) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen({ fd: before.socket.fd }, () => {
        this.#server.off("error", reject).on("error", () => {});
        resolve();
      });
    });
  }

  /** What another process needs to go on here; undefined: nobody else can. */
  get estate(): AdminEstate | undefined {
    const fd = descriptorOf(this.#server);
    if (fd === undefined || this.#address === undefined || this.#ownSocket?.canStay === false) return undefined;
    return { socket: { fd, address: this.#address }, secrets: this.guard.secrets };
  }

  /** Whether somebody else accepts from the same socket: then it stays where it is when this one closes. */
  share(shared: boolean): void {
    this.#isShared = shared;
  }

  /** Nobody comes any more; who is being answered is, for a moment. */
  leave(): void {
    this.#server.close();
    this.#options.clock.after(leaveMs, () => this.#server.closeAllConnections());
  }

  close(): void {
    const isOpen = this.#server.listening;
    this.#server.close();
    this.#server.closeAllConnections();
    if (isOpen && this.#address?.kind === "unix" && !this.#isShared) removeSocket(this.#address.path);
  }

  /** As its URL has it. */
  #found(address: ListenerAddress): string {
    this.#address = address;
    if (address.kind !== "tcp") return addressText(address);
    return `${this.#options.certificate === undefined ? "http" : "https"}://${addressText(address)}`;
  }

  #listenOn(address: Exclude<ListenerAddress, { readonly kind: "fd" }>): Promise<string> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const failed = (cause: Error) => {
        server.off("listening", listening);
        reject(new ListenError({ address, remedy: 'the option "admin"' }, cause));
      };
      const listening = () => {
        try {
          this.#ownSocket?.show();
        } catch (cause) {
          server.close();
          failed(cause as Error);
          return;
        }
        server.off("error", failed);
        // Without descriptors for a while nobody is accepted here; the front tells of that.
        server.on("error", () => {});
        const port = () => (server.address() as AddressInfo).port;
        resolve(this.#found(address.kind === "tcp" ? { ...address, port: port() } : address));
      };
      server.once("error", failed).once("listening", listening);
      if (address.kind === "tcp") server.listen({ host: address.host, port: address.port });
      else {
        this.#ownSocket = new OwnSocket(address.path);
        this.#ownSocket.listen(server, { mode: 0o660 });
      }
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Asked for before the answer in front of it was taken: no browser and no Prometheus does that, and hundreds of pages that nobody
    // reads would wait here for each connection.
    if (response.socket === null) {
      request.socket.destroy();
      return;
    }
    const { settings, pages, posts, events } = this.#options;
    for (const [name, value] of Object.entries(fieldsOfAll)) response.setHeader(name, value);
    const { headers, method = "", url: target = "" } = request;
    const isTold = "content-length" in headers || "transfer-encoding" in headers;
    // Whoever refuses a body does not read what follows it either.
    if (isTold && method !== "POST") response.setHeader("connection", "close");
    const remoteAddress = settings.place.kind === "unix" ? undefined : request.socket.remoteAddress;
    const verdict = this.guard.judge({ method, target, remoteAddress, ...shownBy(headers) });
    if (verdict.kind === "refused") {
      this.#refuse(verdict, request, response);
      return;
    }
    if (verdict.kind === "signs-in") {
      // Without a redirect: browsers keep such cookies from what another site's link has led to.
      response.setHeader("set-cookie", verdict.cookie).setHeader("refresh", "0; url=/");
      send(response, { status: 200, contentType: plainText, body: "You are signed in.\n" });
      return;
    }
    const { pathname, searchParams: query } = verdict.url;
    if (pathname === "/api/events") {
      if (!events.watch(request, response)) answerStatus(response, 503);
      return;
    }
    const [page, post] = [ownOf(pages, pathname), ownOf(posts, pathname)];
    if (post !== undefined) void this.#post(post, verdict.by, { request, response });
    else if (page === undefined) answerStatus(response, 404);
    else void answer(response, () => page({ query, ...wishesIn(headers) }));
  }

  #refuse({ status, fields, why, by }: Refused, request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    if (request.method === "POST") response.setHeader("connection", "close");
    if (by !== undefined) this.#options.refused({ by, address: addressOf(request), why: why ?? String(status) });
    if (by !== undefined) send(response, errorAnswer(status, "LB_ADMIN_REFUSED", why ?? ""));
    else answerStatus(response, status, why);
  }

  async #post(page: PostPage, by: string, { request, response }: Exchange): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    await answer(response, async () => {
      const read = await postedBody(request, maxBodyBytes);
      if ("refused" in read) {
        response.setHeader("connection", "close");
        this.#options.refused({ by, address: addressOf(request), why: `its body: ${read.refused.status}` });
        return read.refused;
      }
      // It may take minutes, in which nothing moves.
      request.socket.setTimeout(0);
      try {
        return await page({ body: read.body, by, address: addressOf(request), signal: gone.signal });
      } finally {
        request.socket.setTimeout(idleMs);
      }
    });
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** As strict as the public port by default. */
function contextOf({ cert, key, passphrase }: Certificate): SecureContextOptions {
  return { ...tlsProfiles.intermediate, cert, key, ...(passphrase !== undefined && { passphrase }) };
}

const plainText = "text/plain; charset=utf-8";

/** What the guard judges by. */
function shownBy(headers: IncomingHttpHeaders) {
  return {
    host: headers.host,
    authorization: headers.authorization,
    cookie: headers.cookie,
    origin: headers.origin,
    site: sole(headers["sec-fetch-site"]),
    csrf: sole(headers["x-lb-csrf"]),
    contentType: headers["content-type"],
    contentEncoding: headers["content-encoding"],
    contentLength: headers["content-length"],
  };
}

/** What a page may go by. */
function wishesIn({ accept = "", "if-none-match": ifNoneMatch, ...headers }: IncomingHttpHeaders) {
  const seconds = Number(headers["x-prometheus-scrape-timeout-seconds"]);
  const patienceMs = seconds > 0 ? seconds * 1_000 : undefined;
  return { accept, acceptEncoding: sole(headers["accept-encoding"]), ifNoneMatch, patienceMs };
}

function sole(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join() : value;
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? "unix";
}

function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A mistake of ours in a page is told to who asked for it, and must not be the end of the traffic. */
async function answer(response: ServerResponse, page: () => PageAnswer | Promise<PageAnswer>): Promise<void> {
  try {
    const said = await page();
    if (!response.destroyed) await send(response, said);
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else void send(response, { status: 500, contentType: plainText, body: `500 ${(error as Error).message}\n` });
  }
}

function answerStatus(response: ServerResponse, status: number, why?: string): void {
  const remedy = why === undefined ? "" : `${why}\n`;
  void send(response, { status, contentType: plainText, body: `${status} ${STATUS_CODES[status]}\n${remedy}` });
}

async function send(response: ServerResponse, { status, contentType, body, fields = {} }: PageAnswer): Promise<void> {
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
  response.setHeader("content-type", contentType);
  if (typeof body === "string" || Buffer.isBuffer(body)) {
    const length = status === 304 ? {} : { "content-length": Buffer.byteLength(body) };
    response.writeHead(status, length).end(body);
    return;
  }
  response.writeHead(status);
  await pipeline(body, response);
}

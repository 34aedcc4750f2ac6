import { isIP } from "node:net";
import type { Endpoint, UrlEndpoint } from "@lb/core";
import { buildConnector, Client } from "undici";

export interface UpstreamSettings {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** Silence before a response, and within one. */
  readonly responseMs: number;
  readonly verifyCertificates: boolean;
}

/** How one endpoint is reached: its connections that wait for a request, the one used last at the end. */
interface Upstream {
  readonly origin: string;
  readonly connect: buildConnector.connector;
  readonly idle: Client[];
}

/**
 * Connections to endpoints, one request on each at a time. The one that was used last is used first, so that those
 * beyond what the load takes fall silent and end. There are as many as there are requests under way at once, which
 * whoever accepts requests limits.
 */
export class Upstreams {
  readonly #settings: UpstreamSettings;
  readonly #upstreams = new WeakMap<Endpoint, Upstream>();
  /** Those that wait, of all endpoints, for `close`. */
  readonly #idle = new Set<Client>();
  #closed = false;

  constructor(settings: UpstreamSettings) {
    this.#settings = settings;
  }

  /** A connection that has answered before; undefined: all are in use. */
  takeIdle(endpoint: UrlEndpoint): Client | undefined {
    const client = this.#of(endpoint).idle.pop();
    if (client !== undefined) this.#idle.delete(client);
    return client;
  }

  /** A new connection, made with its first request. */
  open(endpoint: UrlEndpoint): Client {
    const { origin, connect, idle } = this.#of(endpoint);
    const { responseMs } = this.#settings;
    const client = new Client(origin, { connect, headersTimeout: responseMs, bodyTimeout: responseMs });
    client.on("disconnect", () => {
      if (!this.#idle.delete(client)) return;
      idle.splice(idle.indexOf(client), 1);
    });
    return client;
  }

  /** Takes a connection back whose response is complete. */
  keep(endpoint: UrlEndpoint, client: Client): void {
    if (this.#closed) {
      void client.close();
      return;
    }
    this.#of(endpoint).idle.push(client);
    this.#idle.add(client);
  }

  /** Ends the connections that wait, and the others once their responses are complete. */
  async close(): Promise<void> {
    this.#closed = true;
    const waiting = [...this.#idle];
    this.#idle.clear();
    await Promise.all(waiting.map((client) => client.destroy()));
  }

  #of(endpoint: UrlEndpoint): Upstream {
    let upstream = this.#upstreams.get(endpoint);
    if (upstream === undefined) {
      const origin = endpoint.address.kind === "unix" ? "http://localhost" : originOf(endpoint);
      upstream = { origin, connect: this.#connector(endpoint), idle: [] };
      this.#upstreams.set(endpoint, upstream);
    }
    return upstream;
  }

  #connector(endpoint: UrlEndpoint): buildConnector.connector {
    const { address, url } = endpoint;
    const { connectMs, verifyCertificates } = this.#settings;
    const connect = buildConnector({
      timeout: connectMs,
      ...(address.kind === "unix" ? { socketPath: address.path } : {}),
      ...(url.startsWith("https:") ? { rejectUnauthorized: verifyCertificates } : {}),
    });
    // undici would take the name for TLS from the request's Host, which is the client's word.
    const servername = serverNameOf(endpoint);
    return (options, callback) => connect({ ...options, servername }, callback);
  }
}

/** Host and port of an endpoint, or its socket's path. */
export function authorityOf(endpoint: UrlEndpoint): string {
  const { address } = endpoint;
  return address.kind === "unix" ? address.path : originOf(endpoint).replace(/^\w+:\/\//, "");
}

function originOf({ url, basePath }: UrlEndpoint): string {
  return url.slice(0, url.length - basePath.length);
}

/** The name that the endpoint's certificate has to have; `""`: its address. */
function serverNameOf({ address }: UrlEndpoint): string {
  return address.kind === "unix" || isIP(address.host) !== 0 ? "" : address.host;
}

import type { Balancer } from "../../balancer/balancer.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { Transport } from "../transport/upstream.ts";
import type { Quarantine } from "./quarantine.ts";
import { Suspects } from "./suspects.ts";

/** An endpoint as the front reaches it. */
export interface Backend {
  readonly transport: Transport;
  /** What its URL says besides of where it is. Absent: nothing. */
  readonly place?: EndpointPlace | undefined;
  /** Complete response header lines to add for this endpoint, or `""`. */
  readonly responseLines: string;
}

export interface EndpointPlace {
  /** In which all its paths begin: `""`, or without a slash at its end. */
  readonly basePath: string;
  /** What it may call itself by: `10.0.0.1:3000`. */
  readonly authorities: readonly string[];
}

export interface PoolOptions {
  /** Told of its endpoints before they are given requests. */
  readonly balancer: Balancer;
  readonly clock: Clock;
  /** The way to an endpoint that joins; closed by the pool when the endpoint leaves. */
  readonly backend: (endpoint: Endpoint) => Backend;
  /** Whether an endpoint that is gone died by itself. Default: it cannot be told, and it did not. */
  readonly diedByItself?: ((endpoint: Endpoint) => boolean) | undefined;
  /** Knows requests that end its endpoints. Default: nobody does. */
  readonly quarantine?: Quarantine | undefined;
}

/** Endpoints that can stand in for one another: the instances of the app, or those of a named backend. */
export class Pool {
  readonly balancer: Balancer;
  readonly suspects: Suspects;
  readonly diedByItself: (endpoint: Endpoint) => boolean;
  readonly quarantine: Quarantine | undefined;
  readonly #backend: (endpoint: Endpoint) => Backend;
  readonly #backends = new Map<Endpoint, Backend>();

  constructor({ balancer, clock, backend, quarantine, diedByItself = () => false }: PoolOptions) {
    this.balancer = balancer;
    this.suspects = new Suspects({ balancer, clock });
    this.diedByItself = diedByItself;
    this.quarantine = quarantine;
    this.#backend = backend;
  }

  /** Undefined: it is no endpoint of this pool any more. */
  reach(endpoint: Endpoint): Backend | undefined {
    return this.#backends.get(endpoint);
  }

  /** Opens the way to endpoints that joined, closes it to those that left and do not linger. */
  update(endpoints: readonly Endpoint[], lingering: readonly Endpoint[] = []): void {
    for (const endpoint of endpoints) {
      if (!this.#backends.has(endpoint)) this.#backends.set(endpoint, this.#backend(endpoint));
    }
    const current = new Set([...endpoints, ...lingering]);
    for (const [endpoint, { transport }] of this.#backends) {
      if (current.has(endpoint)) continue;
      this.#backends.delete(endpoint);
      transport.close();
    }
  }

  close(): void {
    for (const { transport } of this.#backends.values()) transport.close();
    this.#backends.clear();
    this.quarantine?.close();
  }
}

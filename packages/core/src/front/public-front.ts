import type { AddressRange } from "../model/address-range.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { ListenerAddress } from "../model/listener-address.ts";

/** What has the public port, whichever way it has requests answered. */
export interface PublicFront {
  /** See `PublicPort.listen`. */
  listen(): Promise<readonly ListenerAddress[]>;
  /** See `PublicPort.accept`. */
  accept(): Promise<void>;
  /** See `PublicPort.descriptors`. */
  readonly descriptors: readonly (number | undefined)[];
  /** See `Listener.isShared`. */
  share(shared: boolean): void;
  /** Follows the roster: opens the way to endpoints that joined, closes it to those that left and do not linger. */
  update(endpoints: readonly Endpoint[], lingering: readonly Endpoint[]): void;
  /** The endpoint is silent, and others are not: what waits for it goes to them, if it may be repeated. */
  relieve(endpoint: Endpoint): void;
  /**
   * Resolves when those requests have been answered that the endpoint has now, or their connections are gone. Tunnels are
   * not waited for, nor what comes to it meanwhile: sessions may go on at an endpoint that nothing else is given to.
   */
  settled(endpoint: Endpoint): Promise<void>;
  /** Ends what is open for clients with these addresses, tunnels too. */
  cutOff(range: AddressRange): void;
  /**
   * Stops accepting and ends connections with their next answer, those that remain idle after a short grace. Resolves when
   * nothing is open but tunnels, at the latest after `graceMs`; nothing is cut for that.
   */
  quiesce(graceMs: number): Promise<void>;
  /**
   * Stops accepting and ends connections in the same way, tunnels and what else is left at the deadline. Resolves when no
   * connection is left, at the latest after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

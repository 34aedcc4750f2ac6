import type { Endpoint } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import { type Random, systemRandom } from "../model/random.ts";
import type { RequestView } from "../model/request-view.ts";
import { murmur3 } from "./murmur3.ts";

/** What the strategies that hash have in common. */
export interface HashOptions {
  /**
   * What is hashed: requests of one key go to one endpoint. Default: the client's address. A request whose key is
   * undefined or empty gets a random one, so such requests are spread by weight; so does one for which this throws, since
   * what a client sends must not be able to bring the process down through a function that reads it.
   */
  readonly key?: (request: RequestView) => string | undefined;
  /**
   * By what an endpoint is known to the hash (HAProxy `hash-key`); the keys of one that is replaced go to the endpoint
   * of the same name. Default: its slot, so that the next incarnation inherits. Where several balancers with different
   * lists must agree, name endpoints by their address.
   */
  readonly nameOf?: (endpoint: Endpoint) => string;
  /** For requests without a key. Default: the process's own random numbers. */
  readonly random?: Random;
}

/** {@link HashOptions} with the defaults filled in; `keyHash` turns a request into an unsigned 32-bit integer. */
export interface Hashing {
  readonly keyHash: (request: RequestView) => number;
  readonly nameOf: (endpoint: Endpoint) => string;
}

export function parseHashOptions(factory: string, options: HashOptions): Hashing {
  const { key = clientAddress, nameOf = slotName, random = systemRandom } = options;
  if (typeof key !== "function") {
    throw new OptionError(`${factory}.key`, key, "give a function that takes a request and returns a string");
  }
  if (typeof nameOf !== "function") {
    throw new OptionError(`${factory}.nameOf`, nameOf, "give a function that takes an endpoint and returns a string");
  }
  const keyOf = (request: RequestView): string | undefined => {
    try {
      return key(request);
    } catch {
      return undefined;
    }
  };
  const keyHash = (request: RequestView): number => {
    const text = keyOf(request);
    return text === undefined || text === "" ? Math.trunc(random() * 2 ** 32) : murmur3(text);
  };
  return { keyHash, nameOf };
}

function clientAddress(request: RequestView): string | undefined {
  return request.clientAddress;
}

function slotName(endpoint: Endpoint): string {
  return `slot ${endpoint.slot}`;
}

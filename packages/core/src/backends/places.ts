import type { Address } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { EndpointEntry } from "../options/backend-endpoint-options.ts";
import type { Names } from "./names.ts";
import { type ServiceHost, serviceGroups } from "./services.ts";

/** Where one endpoint of an entry is. */
export interface Place {
  /** Of all places of a list, only one is called so: its URL, and the address where that does not tell it. */
  readonly id: string;
  /** An origin, or `unix:` and a path. */
  readonly url: string;
  readonly address: Address;
  readonly weight: number;
  /** Whom its certificate has to be for. Undefined: it is spoken to in the clear. */
  readonly servername: string | undefined;
  readonly zone: string | undefined;
  /** In which all its paths begin, or `""`. */
  readonly basePath: string;
}

/** What an entry was found to mean. */
export interface FoundPlaces {
  readonly places: readonly Place[];
  /** How long it may be used. */
  readonly ttlMs: number;
}

type EntryOf<Kind extends EndpointEntry["kind"]> = Extract<EndpointEntry, { readonly kind: Kind }>;

/** An entry that says itself where it is. */
export function placeOf({ url, address, weight, zone, basePath, secure }: EntryOf<"address">): Place {
  const servername = secure && address.kind === "tcp" ? address.host : undefined;
  return { id: url, url, address, weight, servername, zone, basePath };
}

/** Rejects where nothing is found. */
export async function findPlaces(entry: EntryOf<"name" | "service">, names: Names): Promise<FoundPlaces> {
  if (entry.kind === "name") return placesOfHost(entry, { host: entry.host, port: entry.port, weight: 1 }, names);
  const { found, ttlMs } = await names.services(entry.service);
  let failure: unknown;
  for (const group of serviceGroups(found)) {
    const answers = await inTurns(group, (host) => placesOfHost(entry, host, names));
    const good = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    if (good.length > 0) {
      const places = good.flatMap((one) => one.places);
      return { places, ttlMs: Math.min(ttlMs, ...good.map((one) => one.ttlMs)) };
    }
    failure ??= answers.find((answer) => answer.status === "rejected")?.reason;
  }
  throw failure ?? new LbError("LB_NO_ENDPOINTS", `The SRV records of ${entry.service} name no host.`);
}

async function placesOfHost(
  entry: EndpointEntry,
  { host, port, weight }: ServiceHost,
  names: Names,
): Promise<FoundPlaces> {
  const { found, ttlMs } = await names.addresses(host);
  const { secure, zone, basePath } = entry;
  const url = `http${secure ? "s" : ""}://${host}:${port}${basePath}`;
  const places = [...new Set(found)].sort().map((address): Place => {
    return {
      id: `${url} at ${address}`,
      url,
      address: { kind: "tcp", host: address, port },
      weight: entry.weight * weight,
      servername: secure ? host : undefined,
      zone,
      basePath,
    };
  });
  return { places, ttlMs };
}

/** So many questions are asked at a time. */
const atOnce = 16;

async function inTurns<One, Answer>(
  all: readonly One[],
  ask: (one: One) => Promise<Answer>,
): Promise<readonly PromiseSettledResult<Answer>[]> {
  const answers: PromiseSettledResult<Answer>[] = [];
  for (let at = 0; at < all.length; at += atOnce) {
    answers.push(...(await Promise.allSettled(all.slice(at, at + atOnce).map(ask))));
  }
  return answers;
}

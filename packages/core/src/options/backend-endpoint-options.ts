import { isIP } from "node:net";
import * as v from "valibot";
import type { Address } from "../model/endpoint.ts";
import { readEndpointUrl } from "../model/endpoint-url.ts";
import { OptionError } from "../model/errors.ts";
import { options, parseOptions, positiveNumber } from "./validation.ts";

/** Endpoints of a backend: one, or as many as a name has addresses. */
export interface BackendEndpointOptions {
  /**
   * `"http://10.0.0.1:3000"`, `"https://api.internal"`, `"unix:/run/app.sock"`; a host name is looked up again and again, and
   * each of its addresses is an endpoint. Behind a path, `"http://10.0.0.1:3000/base"`, is where those of requests go. `"srv+http://_api._tcp.example.com"` asks for SRV records, which tell ports too.
   */
  readonly url: string | URL;
  /** Share of the traffic of each, relative to the others. Default 1. */
  readonly weight?: number | undefined;
  /** Where it is, such as the name of a data centre. */
  readonly zone?: string | undefined;
}

export type BackendEndpoint = string | URL | BackendEndpointOptions;

/** What a function that tells endpoints gets. */
export interface EndpointsCall {
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/** Tells which endpoints there are: once for each call, or with everything that it yields. */
export type EndpointsFunction = (
  call: EndpointsCall,
) => readonly BackendEndpoint[] | Promise<readonly BackendEndpoint[]> | AsyncIterable<readonly BackendEndpoint[]>;

export type BackendEndpoints = readonly BackendEndpoint[] | EndpointsFunction;

interface EntrySettings {
  /** In the one form that is compared. */
  readonly url: string;
  readonly weight: number;
  readonly zone: string | undefined;
  /** In which all its paths begin: `""`, or without a slash at its end. */
  readonly basePath: string;
  /** By TLS. */
  readonly secure: boolean;
}

/**
 * An entry of the list, judged:
 * - `address`: it is where it is; what `localhost` means is found out with each connection;
 * - `name`: at the addresses of a host;
 * - `service`: at the hosts and ports that SRV records tell.
 */
export type EndpointEntry =
  | (EntrySettings & { readonly kind: "address"; readonly address: Address })
  | (EntrySettings & { readonly kind: "name"; readonly host: string; readonly port: number })
  | (EntrySettings & { readonly kind: "service"; readonly service: string });

/** {@link BackendEndpoints}, judged as far as they are there; `read` judges what the function tells. */
export type EndpointsSettings =
  | { readonly kind: "list"; readonly entries: readonly EndpointEntry[] }
  | {
      readonly kind: "function";
      readonly call: EndpointsFunction;
      /** @throws OptionError */
      readonly read: (list: unknown) => readonly EndpointEntry[];
    };

/** Of one list. What a name has besides is bounded where it is looked up. */
const maxEntries = 256;

const entryOptions = options({
  url: v.union([v.string(), v.instance(URL)], "give a URL"),
  weight: v.optional(positiveNumber(), 1),
  zone: v.optional(v.pipe(v.string("give a name"), v.nonEmpty("give a name"), v.maxLength(64, "give a shorter name"))),
});

/**
 * @param option its path, for messages
 * @throws OptionError
 */
export function endpointsSettings(input: unknown, option: string): EndpointsSettings {
  const read = (list: unknown) => readEntries(list, option);
  if (typeof input === "function") return { kind: "function", call: input as EndpointsFunction, read };
  return { kind: "list", entries: read(input) };
}

function readEntries(list: unknown, option: string): readonly EndpointEntry[] {
  if (!Array.isArray(list)) throw new OptionError(option, list, 'give a list, e.g. ["http://10.0.0.1:3000"]');
  if (list.length > maxEntries) throw new OptionError(option, list.length, `list ${maxEntries} at most`);
  const entries = list.map((entry, at) => readEntry(entry, `${option}[${at}]`));
  const urls = new Set<string>();
  for (const [at, { url }] of entries.entries()) {
    if (urls.has(url)) throw new OptionError(`${option}[${at}]`, url, "it is listed twice");
    urls.add(url);
  }
  return entries;
}

function readEntry(entry: unknown, option: string): EndpointEntry {
  if (typeof entry === "string" || entry instanceof URL)
    return readPlace(entry, option, { weight: 1, zone: undefined });
  const { url, weight, zone } = parseOptions(entryOptions, entry, option);
  return readPlace(url, `${option}.url`, { weight, zone });
}

const servicePrefix = /^srv\+(https?):/i;

function readPlace(input: string | URL, option: string, shared: Pick<EntrySettings, "weight" | "zone">): EndpointEntry {
  const text = String(input);
  const [prefix, scheme] = servicePrefix.exec(text) ?? [];
  if (prefix !== undefined) {
    const secure = scheme!.toLowerCase() === "https";
    const service = /^\/\/([\w-]+(?:\.[\w-]+)+)\.?\/?$/.exec(text.slice(prefix.length))?.[1]?.toLowerCase();
    if (service === undefined || service.length > 253) {
      throw new OptionError(
        option,
        text,
        'give the name of SRV records alone, e.g. "srv+http://_api._tcp.example.com"',
      );
    }
    return {
      ...shared,
      kind: "service",
      url: `srv+http${secure ? "s" : ""}://${service}`,
      basePath: "",
      secure,
      service,
    };
  }
  const { url, address, secure, basePath } = readEndpointUrl(input, option);
  if (address.kind === "unix" || isIP(address.host) !== 0 || isLocal(address.host)) {
    return { ...shared, kind: "address", url, basePath, secure, address };
  }
  return { ...shared, kind: "name", url, basePath, secure, host: address.host, port: address.port };
}

/** It always is this machine, whatever the address (RFC 6761 §6.3). */
function isLocal(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

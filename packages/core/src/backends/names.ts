import type { SrvRecord } from "node:dns";
import { lookup, Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";

/** What a name was found to be. */
export interface NameAnswer<Found> {
  readonly found: readonly Found[];
  /** How long it may be used. */
  readonly ttlMs: number;
}

/** Finds out what names mean. Both reject where there is no answer, or an empty one; with a `code` of `node:dns` or of ours. */
export interface Names {
  /** The addresses of a host: of IPv4, or of IPv6 if it has no others. */
  addresses(host: string): Promise<NameAnswer<string>>;
  services(name: string): Promise<NameAnswer<SrvRecord>>;
}

export interface SystemNamesOptions {
  /** `"10.0.0.2"`, `"10.0.0.2:5353"`: these are asked, and nobody else. Default: those of the system, after /etc/hosts. */
  readonly servers?: readonly string[] | undefined;
  /** Default `"/etc/hosts"`. */
  readonly hostsFile?: string;
}

/** Where nobody says it: in the system's own files, and for SRV records, of which Node does not tell. */
const unsaidTtlMs = 30_000;

/** To one server, before the next is asked, and how often each is asked. */
const patience = { timeout: 2_000, tries: 2 };

/** Names as the system knows them. */
export class SystemNames implements Names {
  readonly #options: SystemNamesOptions;

  constructor(options: SystemNamesOptions = {}) {
    this.#options = options;
  }

  async addresses(host: string): Promise<NameAnswer<string>> {
    const { servers, hostsFile = "/etc/hosts" } = this.#options;
    if (servers === undefined) {
      const listed = addressesIn(await readFile(hostsFile, "utf8").catch(() => ""), host);
      if (listed.length > 0) return { found: listed, ttlMs: unsaidTtlMs };
    }
    try {
      return await this.#fromServers(host);
    } catch (error) {
      if (servers !== undefined || !isNoSuchName(error)) throw error;
      // It may be one that is found by other means: in a search domain, or by multicast.
      const found = await lookup(host, { all: true, order: "ipv4first" }).catch(() => []);
      const family = found[0]?.family;
      if (family === undefined) throw error;
      return { found: found.filter((one) => one.family === family).map(({ address }) => address), ttlMs: unsaidTtlMs };
    }
  }

  async services(name: string): Promise<NameAnswer<SrvRecord>> {
    const found = await this.#resolver().resolveSrv(name);
    return { found, ttlMs: unsaidTtlMs };
  }

  async #fromServers(host: string): Promise<NameAnswer<string>> {
    const resolver = this.#resolver();
    const four = await resolver.resolve4(host, { ttl: true }).catch((error: unknown) => {
      if (!isNoSuchName(error)) throw error;
      return [];
    });
    const found = four.length > 0 ? four : await resolver.resolve6(host, { ttl: true });
    return { found: found.map(({ address }) => address), ttlMs: Math.min(...found.map(({ ttl }) => ttl)) * 1_000 };
  }

  /** One for each question: the system's servers may have changed. */
  #resolver(): Resolver {
    const resolver = new Resolver(patience);
    const { servers } = this.#options;
    if (servers !== undefined) resolver.setServers([...servers]);
    return resolver;
  }
}

/** There is an answer, which is that there is nothing. */
function isNoSuchName(error: unknown): boolean {
  const { code } = error as { readonly code?: string };
  return code === "ENOTFOUND" || code === "ENODATA";
}

/** Of one family, IPv4 if there is any. */
function addressesIn(hosts: string, host: string): readonly string[] {
  const found = hosts.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    return names.some((name) => name.toLowerCase() === host) ? [address] : [];
  });
  const four = found.filter((address) => !address.includes(":"));
  return four.length > 0 ? four : found;
}

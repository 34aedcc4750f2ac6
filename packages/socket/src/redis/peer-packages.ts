import { createRequire } from "node:module";
import type * as RedisAdapterPackage from "@socket.io/redis-adapter";
import type * as StreamsAdapterPackage from "@socket.io/redis-streams-adapter";
import { MissingPackageError } from "../errors.ts";
import type { RedisConstructor } from "./redis-client.ts";

/** What is only needed with Redis, and installed by those who use it. */
interface PeerPackages {
  readonly ioredis: { readonly Redis: RedisConstructor };
  readonly "@socket.io/redis-adapter": typeof RedisAdapterPackage;
  readonly "@socket.io/redis-streams-adapter": typeof StreamsAdapterPackage;
}

/** @throws MissingPackageError if it is not installed */
export function peerPackage<Name extends keyof PeerPackages>(
  name: Name,
  load: (name: string) => unknown = createRequire(import.meta.url),
): PeerPackages[Name] {
  try {
    return load(name) as PeerPackages[Name];
  } catch (cause) {
    // What is installed and does not load has an error of its own to tell.
    if ((cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw cause;
    throw new MissingPackageError(name, { cause });
  }
}

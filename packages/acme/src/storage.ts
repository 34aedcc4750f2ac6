import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@lb/core";
import type { IssuedCertificate } from "@lb/core/kit";
import { openDirectory, unusable, writePrivate } from "./private-files.ts";
import { type HeldLock, StorageLock } from "./storage-lock.ts";

export interface StoredAccount {
  /** PEM. */
  readonly key: string;
  /** What the authority calls it; absent while it does not know it. */
  readonly url?: string | undefined;
}

export interface StorageOptions {
  readonly root: string;
  /** The authority's directory: what is kept for one is nothing to another. */
  readonly directory: string;
  readonly domains: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * What outlives the process, and what processes share: `<root>/<authority>/account.json` and, for each certificate, `<first name>/certificate.pem`, which
 * has the key and the chain in one file, so that they are replaced together.
 */
export class CertificateStorage {
  readonly #folder: string;
  readonly #ofAuthority: string;
  readonly #lock: StorageLock;

  constructor({ root, directory, domains, clock, signal }: StorageOptions) {
    this.#ofAuthority = join(root, fileName(directory.replace(/^https:\/\//, "")));
    this.#folder = join(this.#ofAuthority, fileName(domains[0]!));
    this.#lock = new StorageLock({ directory: this.#ofAuthority, clock, signal });
  }

  async open(): Promise<void> {
    await openDirectory(this.#folder);
    await openDirectory(this.#ofAuthority);
  }

  /** For whoever asks the authority for anything: accounts and certificates are made once. */
  lock(): Promise<HeldLock> {
    return this.#lock.take();
  }

  get accountFile(): string {
    return join(this.#ofAuthority, "account.json");
  }

  async readAccount(): Promise<StoredAccount | undefined> {
    const text = await read(this.accountFile);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as StoredAccount;
    } catch (cause) {
      throw unusable(this.accountFile, cause);
    }
  }

  writeAccount(account: StoredAccount): Promise<void> {
    return writePrivate(this.accountFile, `${JSON.stringify(account, undefined, 2)}\n`);
  }

  /** What an authority is to be answered, by everybody who shares this. */
  readChallenges(): Promise<string | undefined> {
    return read(join(this.#ofAuthority, "challenges.json"));
  }

  writeChallenges(text: string): Promise<void> {
    return writePrivate(join(this.#ofAuthority, "challenges.json"), text);
  }

  async readCertificate(): Promise<IssuedCertificate | undefined> {
    const text = await read(join(this.#folder, "certificate.pem"));
    const [key] = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----\n?/.exec(text ?? "") ?? [];
    return text === undefined || key === undefined ? undefined : { cert: text.replace(key, ""), key };
  }

  writeCertificate({ cert, key }: IssuedCertificate): Promise<void> {
    return writePrivate(join(this.#folder, "certificate.pem"), key + cert);
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(path, error);
  }
}

/** For people to recognise, and for every file system. */
function fileName(text: string): string {
  return text
    .replace(/[^\w.-]+/g, "-")
    .replace(/^\.+/, "-")
    .slice(0, 200);
}

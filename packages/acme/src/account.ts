import type { KeyObject } from "node:crypto";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { AcmeSettings } from "@lb/core/kit";
import type { Authority } from "./authority.ts";
import { AcmeError } from "./errors.ts";
import { bindAccount } from "./jws.ts";
import type { CertificateStorage } from "./storage.ts";

/** Whom the authority knows us as. */
export interface Account {
  readonly key: KeyObject;
  readonly url: string;
}

interface Accounts {
  readonly authority: Authority;
  readonly storage: CertificateStorage;
  readonly settings: Pick<AcmeSettings, "email" | "eab">;
}

/** The account that is stored, else a new one; its key is stored before it is known to anybody. */
export async function openAccount({ authority, storage, settings }: Accounts): Promise<Account> {
  const stored = await storage.readAccount();
  if (stored?.url !== undefined) return { key: createPrivateKey(stored.key), url: stored.url };
  const key = stored === undefined ? newKey() : createPrivateKey(stored.key);
  const pem = key.export({ type: "pkcs8", format: "pem" }) as string;
  await storage.writeAccount({ key: pem });
  const url = await register(authority, key, settings);
  await storage.writeAccount({ key: pem, url });
  return { key, url };
}

/** ECDSA on P-256. */
export function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** A key that is known already is the same account again. */
async function register(authority: Authority, key: KeyObject, { email, eab }: Accounts["settings"]): Promise<string> {
  const { newAccount } = await authority.directory();
  const payload = {
    termsOfServiceAgreed: true,
    ...(email !== undefined && { contact: [`mailto:${email}`] }),
    ...(eab !== undefined && { externalAccountBinding: bindAccount(key, newAccount, eab) }),
  };
  const { headers } = await authority.post({ url: newAccount, key, payload, what: "The account" });
  if (headers.location === undefined)
    throw new AcmeError("LB_ACME_ANSWER", "The authority does not say where the account is.");
  return headers.location;
}

import { readFileSync } from "node:fs";
import { OptionError } from "@lb/core";
import type { IssuedCertificate, KeeperOptions } from "@lb/core/kit";
import { type Account, openAccount } from "./account.ts";
import { Authority } from "./authority.ts";
import { AcmeError } from "./errors.ts";
import { Order } from "./order.ts";
import type { ChallengeKind } from "./proof.ts";
import { type RenewalInfo, renewalInfo, renewalName } from "./renewal-info.ts";
import type { CertificateStorage } from "./storage.ts";
import { Transport } from "./transport.ts";

/** Who gives certificates. */
export interface Issuer {
  /** @throws AcmeError */
  issue(wanted: {
    readonly challenge: ChallengeKind;
    readonly inPlaceOf: string | undefined;
  }): Promise<IssuedCertificate>;
  /** @throws AcmeError */
  renewalInfo(cert: string): Promise<RenewalInfo | undefined>;
}

export interface AcmeIssuerOptions extends Pick<KeeperOptions, "settings" | "clock" | "wallClock" | "present"> {
  readonly storage: CertificateStorage;
  readonly signal: AbortSignal;
}

/** The authority of the settings. */
export class AcmeIssuer implements Issuer {
  readonly #options: AcmeIssuerOptions;
  readonly #transport: Transport;

  constructor(options: AcmeIssuerOptions) {
    const { settings, clock, signal } = options;
    this.#options = options;
    this.#transport = new Transport({ ca: rootOf(settings.ca), clock, signal });
  }

  async issue({ challenge, inPlaceOf }: Parameters<Issuer["issue"]>[0]): Promise<IssuedCertificate> {
    const { settings, storage, present, clock, wallClock, signal } = this.#options;
    const authority = this.#authority();
    const { renewalInfo: named } = await authority.directory();
    const replaces = inPlaceOf === undefined || named === undefined ? undefined : renewalName(inPlaceOf);
    const order = (account: Account) => {
      const { domains, profile } = settings;
      return new Order({
        authority,
        account,
        domains,
        challenge,
        profile,
        replaces,
        present,
        clock,
        wallClock,
        signal,
      }).certificate();
    };
    const account = await openAccount({ authority, storage, settings });
    try {
      return await order(account);
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error;
      if (error.type === "accountDoesNotExist") {
        // The authority has forgotten it, or is another one at the same address: the key is registered there anew.
        await storage.writeAccount({ key: account.key.export({ type: "pkcs8", format: "pem" }) as string });
        return await order(await openAccount({ authority, storage, settings }));
      }
      if (error.type !== "unauthorized") throw error;
      const remedy = `If it was deactivated, remove ${storage.accountFile}: a new account is made then.`;
      throw new AcmeError("LB_ACME_ACCOUNT", `${error.message} ${remedy}`, { cause: error, type: error.type });
    }
  }

  renewalInfo(cert: string): Promise<RenewalInfo | undefined> {
    return renewalInfo(this.#authority(), cert, this.#options.wallClock);
  }

  /** Anew each time: weeks lie between, and its addresses may have changed. */
  #authority(): Authority {
    const { settings, wallClock } = this.#options;
    return new Authority({ url: settings.directory, transport: this.#transport, wallClock });
  }
}

function rootOf(ca: string | undefined): string | undefined {
  if (ca === undefined || ca.includes("-----BEGIN CERTIFICATE-----")) return ca;
  try {
    return readFileSync(ca, "utf8");
  } catch (cause) {
    throw new OptionError("https.acme.ca", ca, `the file cannot be read (${(cause as Error).message})`);
  }
}

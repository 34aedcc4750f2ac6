import type { CertificateFacts } from "../../model/certificate-facts.ts";
import type { IssuedCertificate } from "../../model/challenges.ts";
import { systemWallClock, type WallClock } from "../../model/clock.ts";
import { Listeners } from "../../model/listeners.ts";
import type { CertificateSettings, HttpsSettings } from "../../options/https-options.ts";
import { isPem, readCertificate } from "../../tls/certificate.ts";
import { type CertificateSource, Certificates } from "../../tls/certificates.ts";
import { readClientAuthorities } from "../../tls/client-certificate.ts";
import { newTicketKey } from "../../tls/ticket-keys.ts";
import type { TlsMaterial } from "../../tls/tls-material.ts";
import { localCertificate } from "./local-authority.ts";

/** One that is used, and where it came from. */
interface Given extends Pick<CertificateFacts, "source"> {
  readonly certificate: CertificateSettings;
  /** The option's path, for the message if it cannot be used. */
  readonly option: string;
}

/** `option`: the path to them, for the message if one cannot be used. */
interface Listed {
  readonly certificates: readonly CertificateSettings[];
  readonly option: string;
}

/**
 * The certificates that the settings name, or others that were given since, and the one that an authority gave, as they were when they were last good; and the
 * keys of tickets.
 */
export class CertificateStore implements CertificateSource {
  readonly #settings: HttpsSettings;
  readonly #wallClock: WallClock;
  readonly #renewed = new Listeners<Certificates>();
  #material: TlsMaterial;
  #current: Certificates;
  #facts: readonly CertificateFacts[] = [];
  /** Of the options, or given since. */
  #listed: Listed;
  #issued: IssuedCertificate | undefined;
  #local: CertificateSettings | undefined;

  /**
   * @param ticketKeys of another process, whose clients go on here; a key of its own comes with the next
   * @throws LbError `LB_CERTIFICATE` for the first that cannot be used
   */
  constructor(
    settings: HttpsSettings,
    wallClock: WallClock = systemWallClock,
    [key = newTicketKey(), ...others]: readonly string[] = [],
  ) {
    this.#settings = settings;
    this.#wallClock = wallClock;
    this.#listed = { certificates: settings.certificates, option: "https.certificates" };
    this.renewLocal();
    const { strictSni, profile, sessionMs } = settings;
    const { facts, ...read } = this.#read();
    this.#material = { strictSni, profile, sessionMs, ticketKeys: [key, ...others], ...read };
    this.#current = new Certificates(this.#material);
    this.#facts = facts;
  }

  get current(): Certificates {
    return this.#current;
  }

  /** What {@link current} is made of. */
  get material(): TlsMaterial {
    return this.#material;
  }

  get facts(): readonly CertificateFacts[] {
    return this.#facts;
  }

  /** Files among them; what is given as PEM does not change. */
  get files(): readonly string[] {
    const { clientCertificates } = this.#settings;
    const own = this.#given.flatMap(({ certificate: { cert, key } }) => [cert, key]);
    const { ca, crl } = clientCertificates || { ca: [], crl: undefined };
    return [...own, ...[ca].flat(), ...[crl ?? []].flat()].filter((one) => !isPem(one));
  }

  /** Returns the unsubscribe call. */
  onRenewal(renewed: (certificates: Certificates) => void): () => void {
    return this.#renewed.add(renewed);
  }

  /**
   * Reads all of them anew. Handshakes that begin from now on get them; connections that stand go on.
   *
   * @throws LbError `LB_CERTIFICATE` for the first that cannot be used; then all stays as it was
   */
  reread(): void {
    const { facts, ...read } = this.#read();
    this.#use({ ...this.#material, ...read });
    this.#facts = facts;
  }

  /**
   * In place of those that the settings name.
   *
   * @throws LbError `LB_CERTIFICATE` for the first that cannot be used; then all stays as it was
   */
  set(certificates: readonly CertificateSettings[]): void {
    const before = this.#listed;
    this.#listed = { certificates, option: "certificates" };
    try {
      this.reread();
    } catch (error) {
      this.#listed = before;
      throw error;
    }
  }

  /**
   * In place of the one that an authority gave before.
   *
   * @throws LbError `LB_CERTIFICATE`; then all stays as it was
   */
  use(issued: IssuedCertificate): void {
    const before = this.#issued;
    this.#issued = issued;
    try {
      this.reread();
    } catch (error) {
      this.#issued = before;
      throw error;
    }
  }

  /**
   * Makes the certificate for localhost, if there is to be one, and anew when it is time. It is in a file, as others are.
   *
   * @throws LbError `LB_CERTIFICATE`
   */
  renewLocal(): void {
    const { localhost } = this.#settings;
    if (typeof localhost !== "string") return;
    const certificate = localCertificate(localhost, this.#wallClock());
    this.#local = { cert: certificate, key: certificate };
  }

  /** From now on tickets have a new key; those of the one before it are still good. */
  renewTicketKey(): void {
    const { ticketKeys } = this.#material;
    this.#use({ ...this.#material, ticketKeys: [newTicketKey(), ticketKeys[0]] });
  }

  #use(material: TlsMaterial): void {
    // It may find fault with what it is given.
    this.#current = new Certificates(material);
    this.#material = material;
    this.#renewed.emit([this.#current]);
  }

  get #given(): readonly Given[] {
    const { certificates, option } = this.#listed;
    const listed = certificates.map((certificate, at): Given => {
      return { certificate, source: "options", option: `${option}[${at}]` };
    });
    const [issued, local] = [this.#issued, this.#local];
    return [
      ...listed,
      ...(issued === undefined ? [] : [{ certificate: issued, source: "acme", option: "https.acme" } as const]),
      ...(local === undefined ? [] : [{ certificate: local, source: "localhost", option: "https.localhost" } as const]),
    ];
  }

  #read(): Pick<TlsMaterial, "certificates" | "clients"> & { readonly facts: readonly CertificateFacts[] } {
    const given = this.#given;
    const read = given.map(({ certificate, option }) => readCertificate(certificate, option));
    const facts = read.map(({ names, validFrom, expiresAt, issuer, problem }, at) => {
      const { source } = given[at]!;
      // Whose authority is this user's own knows that nobody else's clients trust it.
      const told = source === "localhost" ? undefined : problem;
      return { names, validFrom, expiresAt, issuer, source, problem: told };
    });
    const { clientCertificates } = this.#settings;
    const clients = clientCertificates === false ? undefined : readClientAuthorities(clientCertificates);
    return { certificates: read, clients, facts };
  }
}

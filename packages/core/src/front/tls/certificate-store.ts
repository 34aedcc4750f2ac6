import type { CertificateFacts } from "../../model/certificate-facts.ts";
import { Listeners } from "../../model/listeners.ts";
import type { HttpsSettings } from "../../options/https-options.ts";
import { isPem, readCertificate } from "../../tls/certificate.ts";
import { type CertificateSource, Certificates } from "../../tls/certificates.ts";
import { readClientAuthorities } from "../../tls/client-certificate.ts";
import { newTicketKey } from "../../tls/ticket-keys.ts";
import type { TlsMaterial } from "../../tls/tls-material.ts";

/** The certificates that the settings name, as they were when they were last good, and the keys of tickets. */
export class CertificateStore implements CertificateSource {
  readonly #settings: HttpsSettings;
  readonly #renewed = new Listeners<Certificates>();
  #material: TlsMaterial;
  #current: Certificates;

  /** @throws LbError `LB_CERTIFICATE` for the first that cannot be used */
  constructor(settings: HttpsSettings) {
    this.#settings = settings;
    const { profile, sessionMs } = settings;
    this.#material = { profile, sessionMs, ticketKeys: [newTicketKey()], ...this.#read() };
    this.#current = new Certificates(this.#material);
  }

  get current(): Certificates {
    return this.#current;
  }

  /** What {@link current} is made of. */
  get material(): TlsMaterial {
    return this.#material;
  }

  get facts(): readonly CertificateFacts[] {
    return this.#material.certificates.map(({ names, expiresAt }) => ({ names, expiresAt }));
  }

  /** Files among them; what is given as PEM does not change. */
  get files(): readonly string[] {
    const { certificates, clientCertificates } = this.#settings;
    const own = certificates.flatMap(({ cert, key }) => [cert, key]);
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
    this.#use({ ...this.#material, ...this.#read() });
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

  #read(): Pick<TlsMaterial, "certificates" | "clients"> {
    const { certificates, clientCertificates } = this.#settings;
    const [first, ...others] = certificates.map((one, at) => readCertificate(one, `https.certificates[${at}]`));
    const clients = clientCertificates === false ? undefined : readClientAuthorities(clientCertificates);
    return { certificates: [first!, ...others], clients };
  }
}

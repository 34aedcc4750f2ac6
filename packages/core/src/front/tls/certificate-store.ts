import type { CertificateFacts } from "../../model/certificate-facts.ts";
import { Listeners } from "../../model/listeners.ts";
import type { HttpsSettings } from "../../options/https-options.ts";
import { isPem, readCertificate } from "../../tls/certificate.ts";
import { type CertificateSource, Certificates } from "../../tls/certificates.ts";
import { tlsProfiles } from "../../tls/tls-profile.ts";

/** The certificates that the settings name, as they were when they were last good. */
export class CertificateStore implements CertificateSource {
  readonly #settings: HttpsSettings;
  readonly #renewed = new Listeners<Certificates>();
  #current: Certificates;
  #facts: readonly CertificateFacts[] = [];

  /** @throws LbError `LB_CERTIFICATE` for the first that cannot be used */
  constructor(settings: HttpsSettings) {
    this.#settings = settings;
    this.#current = this.#read();
  }

  get current(): Certificates {
    return this.#current;
  }

  get facts(): readonly CertificateFacts[] {
    return this.#facts;
  }

  /** Files among them; what is given as PEM does not change. */
  get files(): readonly string[] {
    return this.#settings.certificates.flatMap(({ cert, key }) => [cert, key]).filter((one) => !isPem(one));
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
    this.#current = this.#read();
    this.#renewed.emit([this.#current]);
  }

  #read(): Certificates {
    const { certificates, profile } = this.#settings;
    const [first, ...others] = certificates.map((one, at) => readCertificate(one, `https.certificates[${at}]`));
    const read = new Certificates([first!, ...others], tlsProfiles[profile]);
    this.#facts = [first!, ...others].map(({ names, expiresAt }) => ({ names, expiresAt }));
    return read;
  }
}

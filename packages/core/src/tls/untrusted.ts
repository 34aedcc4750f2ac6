import { LbError } from "../model/errors.ts";

/**
 * Why an endpoint is not believed to be who it should be:
 * - `expired`, `not-yet-valid`, `revoked`: its certificate;
 * - `other-name`: the certificate is for somebody else;
 * - `unknown-authority`: it was not signed by anybody whom we trust, but by itself perhaps;
 * - `other-key`: it is none of those that were pinned;
 * - `no-agreement`: it does not speak TLS, or none of the versions and ciphers that we do, or it misses a certificate of ours;
 * - `refused-us`: it does not accept the certificate of ours, or that there is none;
 * - `invalid`: anything else.
 */
export type DistrustReason =
  | "expired"
  | "not-yet-valid"
  | "revoked"
  | "other-name"
  | "unknown-authority"
  | "other-key"
  | "no-agreement"
  | "refused-us"
  | "invalid";

/** An endpoint was not given a request, since it could not show that it is the one that was meant. */
export class UntrustedError extends LbError {
  readonly reason: DistrustReason;

  constructor(reason: DistrustReason, message: string, options?: ErrorOptions) {
    super("LB_UNTRUSTED", message, options);
    this.reason = reason;
  }
}

/**
 * What the failure of a handshake with `name` says of the endpoint; undefined: nothing, the connection broke, or nobody
 * answered.
 */
export function distrust(error: Error & { readonly code?: string }, name: string): UntrustedError | undefined {
  if (error instanceof UntrustedError) return error;
  const { code = "" } = error;
  const reason = reasons[code] ?? reasonOfKind(code);
  if (reason === undefined) return undefined;
  const why = `${explanations[reason](name)} (${code}: ${error.message.split("\n", 1)[0]})`;
  return new UntrustedError(reason, why, { cause: error });
}

/** OpenSSL's names of what is wrong with a certificate, as Node has them. */
const reasons: Readonly<Record<string, DistrustReason>> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not-yet-valid",
  CERT_REVOKED: "revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "other-name",
  HOSTNAME_MISMATCH: "other-name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "unknown-authority",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown-authority",
  UNABLE_TO_GET_ISSUER_CERT: "unknown-authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown-authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown-authority",
  CERT_UNTRUSTED: "unknown-authority",
  CERT_CHAIN_TOO_LONG: "invalid",
  CERT_REJECTED: "invalid",
  CERT_SIGNATURE_FAILURE: "invalid",
  INVALID_CA: "invalid",
  INVALID_PURPOSE: "invalid",
  PATH_LENGTH_EXCEEDED: "invalid",
};

/** Alerts that say something of our certificate. */
const refusals = /^ERR_SSL_.*_ALERT_(CERTIFICATE_|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERT|ACCESS_DENIED)/;

function reasonOfKind(code: string): DistrustReason | undefined {
  if (refusals.test(code)) return "refused-us";
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") return "no-agreement";
  return undefined;
}

const explanations: Readonly<Record<DistrustReason, (name: string) => string>> = {
  expired: (name) => `The certificate of ${name} has expired, or one that it needs has`,
  "not-yet-valid": (name) => `The certificate of ${name} is not valid yet: look at both machines' clocks`,
  revoked: (name) => `The certificate of ${name} was revoked`,
  "other-name": (name) => `The certificate is not for ${name}`,
  "unknown-authority": (name) =>
    `Nobody who is trusted has signed the certificate of ${name}: give the certificate of its authority`,
  "other-key": (name) => `The certificate of ${name} has none of the keys that were pinned`,
  "no-agreement": (name) => `No TLS with ${name}: it may be plain HTTP, an old version, or miss a certificate of ours`,
  "refused-us": (name) => `${name} does not accept our certificate, or that there is none`,
  invalid: (name) => `The certificate of ${name} is not one that can be used`,
};

/**
 * What the packages of lb share, and what is nobody else's: it has no documentation, and changes whenever they do, in
 * every version. What is for users is in `@lb/core` alone.
 *
 * @internal
 */

export type {
  AcmePackage,
  CertificateKeeper,
  KeeperNotice,
  KeeperOptions,
  KeeperState,
} from "./cluster/certificate-keeper.ts";
export { absoluteForm } from "./http/absolute-form.ts";
export { isAuthority } from "./http/authority.ts";
export { nominatedBy } from "./http/connection-options.ts";
export { clientCookiePath, rewriteCookie } from "./http/cookie-rewriting.ts";
export { forwardingFields } from "./http/forwarded-for.ts";
export { type BackendPlace, rewriteLocation, rewriteRefresh } from "./http/location-rewriting.ts";
export { endsHere, type FieldWay, wayOf } from "./http/named-fields.ts";
export { replacePathPrefix } from "./http/path-prefix.ts";
export { mayClimb } from "./http/plain-path.ts";
export { acceptsTrailers } from "./http/request-fields.ts";
export { acceptsWebSocket, allowsOrigin, checkWebSocketRequest } from "./http/websocket.ts";
export { occasionalWarnings } from "./log/occasional-warnings.ts";
export { type Challenges, type IssuedCertificate, noChallenges } from "./model/challenges.ts";
export { every, systemClock, systemWallClock, type WallClock } from "./model/clock.ts";
export { systemRandom } from "./model/random.ts";
export {
  isIdempotent,
  mayRetry,
  outcomeOf,
  type RetryCause,
  type RetrySettings,
  retryCauseOf,
} from "./model/retry-policy.ts";
export type { AcmeSettings } from "./options/acme-options.ts";
export { type Documented, type OptionFlag, type OptionNotes, option, required } from "./options/option.ts";
export { originsSchema } from "./options/origins.ts";
export { retrySchema } from "./options/retry-options.ts";
export {
  callback,
  milliseconds,
  offOr,
  options,
  parseOptions,
  positiveNumber,
  wholeNumber,
  yesOrNo,
} from "./options/validation.ts";
export { drainAtPace, type EngineSessions } from "./worker/socket-io/paced-drain.ts";
export { noteRedis } from "./worker/socket-io/redis-notice.ts";
export { type EngineSession, endGently } from "./worker/socket-io/session-end.ts";
export { type EngineServer, prefixSessionIds } from "./worker/socket-io/session-ids.ts";
export { makeCertificate } from "./x509/certificate.ts";
export { certificateRequest } from "./x509/certificate-request.ts";
export { acmeIdentifier, authorityKeyIdentifierOf, subjectAltName } from "./x509/extensions.ts";

/**
 * - `timeout`: it took too long, or never began;
 * - `plain-http`: a request came in the place of a handshake;
 * - `crowded`: as many were under way as may be;
 * - `rate`: its address has begun too many;
 * - `client-certificate`: the client has none, where one is required, or one that is not good;
 * - `refused`: the two did not agree, or the client went.
 */
export type HandshakeFailure = (typeof handshakeFailures)[number];

export const handshakeFailures = ["timeout", "plain-http", "crowded", "rate", "client-certificate", "refused"] as const;

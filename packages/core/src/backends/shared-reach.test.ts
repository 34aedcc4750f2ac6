import { expect, test } from "vitest";
import { backendAuthority } from "../../test/support/backend-certificates.ts";
import { sharedReach } from "./shared-reach.ts";

const pool = { maxConnections: 2, maxIdle: 1, idleTimeoutMs: 1, maxRequestsPerConnection: 1, connectTimeoutMs: 1 };
const authority = backendAuthority();
const client = authority.issue([]);

test("what files and PEM say is in the way to each endpoint", () => {
  const tls = {
    ca: [authority.ca],
    ...client,
    passphrase: undefined,
    servername: undefined,
    pins: undefined,
    verify: true,
  };
  expect(sharedReach({ tls, pool, proxyProtocol: true }, "backends.api")).toEqual({
    tls: { ca: [authority.ca], ...client, verify: true },
    pool,
    proxyProtocol: 2,
  });
});

test("BAD-INPUTS 191: what cannot be used is found at the start, and named", () => {
  const none = {
    ca: undefined,
    cert: undefined,
    key: undefined,
    passphrase: undefined,
    servername: undefined,
    pins: undefined,
  };
  const reading = (tls: object) => () =>
    sharedReach({ tls: { ...none, verify: true, ...tls }, pool, proxyProtocol: false }, "backends.api");
  const broken = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----";
  expect(reading({ ca: [authority.ca, broken] })).toThrow('Option "backends.api.tls.ca[1]": Give the certificates of');
  expect(reading({ ca: ["/nowhere"] })).toThrow('Option "backends.api.tls.ca[0]": The file cannot be read: ENOENT');
  expect(reading({ cert: client.cert })).toThrow('Option "backends.api.tls.key" is undefined: give both');
  const mixed = { cert: client.cert, key: authority.issue([]).key };
  expect(reading(mixed)).toThrow(
    /^Option "backends\.api\.tls": Certificate and key cannot be used together \(.*mismatch/,
  );
});

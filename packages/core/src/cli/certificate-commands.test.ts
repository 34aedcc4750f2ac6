import { expect, test } from "vitest";
import type { AcmeStatus, CertificateStatus } from "../control/status.ts";
import { shown } from "./certificate-commands.ts";

const now = Date.UTC(2027, 0, 10);
const acme: AcmeStatus = {
  domains: ["a.example", "www.a.example"],
  directory: "https://ca.example/directory",
  state: "kept",
  renewsAt: "2027-03-01T10:00:00.000Z",
  attempts: 0,
  error: null,
};
const issued: CertificateStatus = {
  names: ["a.example", "www.a.example"],
  issuer: "C=US, O=An Authority, CN=E7",
  source: "acme",
  validFrom: "2026-10-01T00:00:00.000Z",
  expiresAt: "2027-04-01T00:00:00.000Z",
  problem: null,
};
const old: CertificateStatus = {
  names: ["b.example"],
  issuer: "CN=lb test",
  source: "options",
  validFrom: "2026-10-01T00:00:00.000Z",
  expiresAt: "2027-01-01T00:00:00.000Z",
  problem: "it signs itself, which clients do not trust",
};

test("lb certs shows whose, from where and until when, when they are renewed, and what is wrong", () => {
  expect(shown({ certificates: [issued, old], acme }, now)).toEqual([
    expect.stringMatching(/names +issuer +from +expires +days left +renewed/),
    "a.example, www.a.example  E7       an authority (ACME)  2027-04-01         81  2027-03-01",
    "b.example                 lb test  the options          2027-01-01         -9  -",
    "b.example: it has expired",
    "b.example: it signs itself, which clients do not trust",
  ]);
});

test("and whom it asks for one, and why there is none", () => {
  const error = "The order: slower";
  expect(shown({ certificates: [], acme: { ...acme, state: "failed", attempts: 3, error } }, now).at(-1)).toBe(
    "a.example, www.a.example: ca.example has given no certificate 3 times, and is asked again at 2027-03-01T10:00:00.000Z: The order: slower",
  );
  expect(shown({ certificates: [], acme: { ...acme, state: "ordering", renewsAt: null } }, now).at(-1)).toBe(
    "a.example, www.a.example: ca.example is being asked for a certificate",
  );
});

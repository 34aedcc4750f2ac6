// When what is asked for, by a clock that moves when told to; the authority and the disk are in memory.
import { generateKeyPairSync } from "node:crypto";
import { type IssuedCertificate, type KeeperNotice, makeCertificate, subjectAltName } from "@lb/core/kit";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../core/test/support/manual-clock.ts";
import { AcmeError } from "./errors.ts";
import { Keeper } from "./keeper.ts";
import type { RenewalInfo } from "./renewal-info.ts";

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const start = Date.UTC(2027, 0, 1);
const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });

function certificate(days: number, notBefore: number, names: readonly string[] = ["a.example"]): IssuedCertificate {
  const extensions = [subjectAltName(names.map((name) => ({ kind: "dns", name })))];
  const cert = makeCertificate({ subject: "x", key, notBefore, notAfter: notBefore + days * day, extensions });
  return { cert, key: "" };
}

/** A keeper whose authority gives certificates of so many days. */
function kept({
  days = 90,
  domains = ["a.example"],
  stored,
}: {
  days?: number;
  domains?: string[];
  stored?: IssuedCertificate;
} = {}) {
  const clock = new ManualClock();
  const wallClock = () => start + clock.now();
  const authority = {
    days,
    error: undefined as Error | undefined,
    info: undefined as RenewalInfo | undefined,
    asked: [] as { readonly at: number; readonly challenge: string; readonly replaces: boolean }[],
    looks: [] as number[],
  };
  const disk = { stored, locks: 0 };
  const notices: KeeperNotice[] = [];
  const used: IssuedCertificate[] = [];
  const keeper = new Keeper({
    settings: { domains, agreeTos: true, directory: "https://ca.example/", storage: "/" },
    clock,
    wallClock,
    random: () => 0,
    use: async (one) => void used.push(one),
    tell: (notice) => void notices.push(notice),
    challenges: { follow: () => {} },
    abort: new AbortController(),
    issuer: {
      issue: async ({ challenge, inPlaceOf }) => {
        authority.asked.push({ at: clock.now(), challenge, replaces: inPlaceOf !== undefined });
        if (authority.error !== undefined) throw authority.error;
        return certificate(authority.days, wallClock(), domains);
      },
      renewalInfo: async () => {
        authority.looks.push(clock.now());
        return authority.info;
      },
    },
    storage: {
      open: async () => {},
      lock: async () => {
        disk.locks += 1;
        return { stands: async () => true, release: async () => {} };
      },
      readCertificate: async () => disk.stored,
      writeCertificate: async (one) => {
        disk.stored = one;
      },
    },
  });
  onTestFinished(() => keeper.stop());
  /** Time passes in steps that a keeper wakes up in. */
  const pass = async (ms: number, step = 10 * minute) => {
    for (let left = ms; left >= 0; left -= step) {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      if (left > 0) clock.advance(Math.min(step, left));
    }
  };
  const begin = async () => {
    await keeper.load();
    keeper.begin();
    await pass(0);
  };
  return { keeper, authority, disk, notices, used, pass, begin, clock };
}

test.each([90, 6])("one of %d days is asked for at once, used, stored, and renewed at two thirds", async (days) => {
  const { begin, pass, authority, disk, used, notices, keeper } = kept({ days });
  await begin();
  expect(authority.asked).toEqual([{ at: 0, challenge: "http-01", replaces: false }]);
  expect(used).toEqual([disk.stored]);
  expect(notices).toEqual([{ kind: "ordering", first: true }, { kind: "renewed" }]);
  expect(keeper.state).toEqual({ kind: "kept", renewsAt: start + (days * day * 2) / 3, by: "lifetime" });
  await pass((days * day * 2) / 3 - 20 * minute);
  expect(authority.asked.length).toBe(1);
  await pass(40 * minute);
  expect(authority.asked.length).toBe(2);
  expect(authority.asked[1]).toMatchObject({ replaces: true });
  expect(notices.at(-2)).toEqual({ kind: "ordering", first: false });
});

test("the authority's window goes before the lifetime, and is asked for again as often as it says", async () => {
  const { begin, pass, authority, keeper } = kept();
  const window = { start: start + 10 * day, end: start + 12 * day };
  authority.info = { window, lookAgainMs: 12 * hour };
  await begin();
  expect(keeper.state).toEqual({ kind: "kept", renewsAt: start + 10 * day, by: "authority" });
  await pass(2 * day);
  expect(authority.looks.length).toBe(5);
  // All certificates are to be revoked tomorrow.
  authority.info = { window: { start: start - day, end: start }, lookAgainMs: 12 * hour };
  await pass(12 * hour + 20 * minute);
  expect(authority.asked.length).toBe(2);
  // It says the same of the new one: once an hour is what it gets.
  await pass(3 * hour);
  expect(authority.asked.length).toBeLessThanOrEqual(5);
});

test("what fails is tried less and less often, by one challenge and the other, and as late as the authority asks", async () => {
  const { begin, pass, authority, notices, keeper } = kept();
  authority.error = new AcmeError("LB_ACME_CHALLENGE", "no");
  await begin();
  await pass(2 * hour, 30_000);
  expect(authority.asked.map(({ at }) => at / minute)).toEqual([0, 1, 5, 21, 85]);
  expect(authority.asked.map(({ challenge }) => challenge)).toEqual([
    "http-01",
    "tls-alpn-01",
    "http-01",
    "tls-alpn-01",
    "http-01",
  ]);
  expect(keeper.state).toMatchObject({ kind: "failed", attempts: 5, retryAt: start + (85 + 256) * minute });
  authority.error = new AcmeError("LB_ACME_RATE_LIMITED", "slower", { retryAfterMs: 2 * day });
  await pass(4 * hour, minute);
  expect(keeper.state).toMatchObject({ attempts: 6, retryAt: start + 341 * minute + 2 * day });
  await pass(day);
  expect(authority.asked.length).toBe(6);
  // Somebody who knows better.
  authority.error = undefined;
  keeper.hurry();
  await pass(0);
  expect(keeper.state).toMatchObject({ kind: "kept" });
  expect(notices.filter(({ kind }) => kind === "failed").length).toBe(6);
});

test("what is stored serves at once, and nobody is asked before its time; what another process stored is used", async () => {
  const stored = certificate(90, start - 10 * day);
  const { begin, pass, authority, used, disk, keeper } = kept({ stored });
  await keeper.load();
  expect(used).toEqual([stored]);
  await begin();
  await pass(49 * day, hour);
  expect(authority.asked).toEqual([]);
  const others = certificate(90, start + 49 * day);
  disk.stored = others;
  await pass(2 * day, hour);
  expect(authority.asked).toEqual([]);
  expect(used).toEqual([stored, others]);
  expect(disk.locks).toBe(0);
});

test("what is stored for fewer names serves, and one for all of them is asked for at once", async () => {
  const stored = certificate(90, start);
  const { begin, authority, used } = kept({ stored, domains: ["a.example", "b.example"] });
  await begin();
  expect(used.length).toBe(2);
  expect(authority.asked).toEqual([{ at: 0, challenge: "http-01", replaces: true }]);
});

test("what is stored and cannot be used is as good as none", async () => {
  const { begin, authority, used } = kept({ stored: { cert: "-----BEGIN CERTIFICATE-----\nnothing", key: "" } });
  await begin();
  expect(authority.asked).toEqual([{ at: 0, challenge: "http-01", replaces: false }]);
  expect(used.length).toBe(1);
});

test("one that the disk does not take serves, is asked for once, and is stored when there is room", async () => {
  const { begin, pass, authority, disk, keeper, used } = kept();
  let full = true;
  Object.defineProperty(disk, "stored", {
    get: () => undefined,
    set: () => {
      if (full) throw new AcmeError("LB_ACME_STORAGE", "full");
    },
  });
  await begin();
  expect(used.length).toBe(1);
  expect(keeper.state).toMatchObject({ kind: "failed", error: { code: "LB_ACME_STORAGE" } });
  full = false;
  await pass(5 * minute, minute);
  expect(keeper.state).toMatchObject({ kind: "kept" });
  expect(authority.asked.length).toBe(1);
});

test("a clock that is set forward is noticed within the hour", async () => {
  const { begin, pass, authority, clock } = kept();
  await begin();
  clock.jump(70 * day);
  await pass(hour + minute);
  expect(authority.asked.length).toBe(2);
});

import { test } from "vitest";
import { cookieDefaults, ipDefaults } from "../../test/support/default-settings.ts";
import type { RequestView } from "../model/request-view.ts";
import type { RuleSettings } from "../options/affinity-options.ts";
import { Affinity } from "./affinity.ts";
import { SlotTokens } from "./slot-tokens.ts";

const secret = "a secret for measuring only";
const wallClock = () => Date.now();

function affinity(...settings: [RuleSettings, ...RuleSettings[]]): Affinity {
  return new Affinity({ settings, secret, wallClock, keyFailed() {} });
}

/** A request whose Cookie header is a slice of a longer text, as it is in the front. */
function request(cookie: string | undefined, rest: Partial<RequestView> = {}): RequestView {
  const text = `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`;
  const from = text.indexOf("Cookie: ") + "Cookie: ".length;
  const to = from + (cookie?.length ?? 0);
  return { ...rest, header: (name) => (name === "cookie" && cookie !== undefined ? text.slice(from, to) : undefined) };
}

const others = `_ga=GA1.1.1234567890.1700000000; session=${"x".repeat(64)}; theme=dark; consent=${"y".repeat(120)}`;

test("what a request costs", async ({ bench }) => {
  const cookie = affinity({ kind: "cookie", ...cookieDefaults, secrets: undefined });
  const [, setCookie = ""] = cookie.responseFields({ kind: "none", cookie: "set" }, 3, false);
  const ours = setCookie.slice(0, setCookie.indexOf(";"));
  const forged = ours.slice(0, -1) + (ours.endsWith("A") ? "B" : "A");
  const held = request(`${others}; ${ours}`);
  const decision = cookie.decide(held);

  const sessions = affinity({ kind: "socket.io", secrets: undefined });
  const sid = `${sessions.sessionPrefix(3, 1)}lv_VI97HAXpY6yYWAAAC`;
  const polling = request(undefined, { target: `/socket.io/?EIO=4&transport=polling&t=Oabcdef&sid=${sid}` });

  const ip = affinity({ kind: "ip", ...ipDefaults });
  const header = affinity({ kind: "header", name: "cookie" });
  const tokens = new SlotTokens([secret], "bench");
  const token = tokens.issue(3, 1);

  const cases: Record<string, () => unknown> = {
    "cookie: no Cookie header": () => cookie.decide(withoutCookie),
    "cookie: 250 bytes of others": () => cookie.decide(foreign),
    "cookie: ours behind 250 bytes of others": () => cookie.decide(held),
    "cookie: forged": () => cookie.decide(withForged),
    "cookie: nothing to add to the response": () => cookie.responseFields(decision, 3, false),
    "cookie: issue for a response": () => cookie.responseFields(cookie.decide(withoutCookie), 3, false),
    "cookie: strip from 300 bytes": () => cookie.stripCookie!(stripped),
    "socket.io: sid": () => sessions.decide(polling),
    "ip: IPv4": () => ip.decide(fromIpv4),
    "ip: IPv6 /64": () => ip.decide(fromIpv6),
    header: () => header.decide(foreign),
    "token: issue": () => tokens.issue(3, 1),
    "token: read": () => tokens.read(token),
  };
  const withoutCookie = request(undefined);
  const foreign = request(others);
  const withForged = request(`${others}; ${forged}`);
  const stripped = `${others}; ${ours}; last=1`;
  const fromIpv4 = { clientAddress: "203.0.113.77" };
  const fromIpv6 = { clientAddress: "2001:db8:85a3::8a2e:370:7334" };

  // Hundreds of calls a sample, so that the harness's own cost does not show.
  let kept: unknown;
  const batch = 500;
  const runs = Object.entries(cases).map(([name, run]) =>
    bench(`${name} × ${batch}`, () => {
      for (let left = batch; left > 0; left--) kept = run();
    }),
  );
  const [first, second, ...rest] = runs;
  await bench.compare(first!, second!, ...rest, { time: 200 });
  if (kept === cases) throw new Error("unreachable: keeps the results from being optimised away");
});

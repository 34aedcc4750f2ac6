import { Affinity } from "../../src/affinity/affinity.ts";
import type { AffinityDecision, SlotDecision } from "../../src/affinity/decision.ts";
import { RequestHead, RequestHeadParser } from "../../src/http/request-head.ts";
import type { LbError } from "../../src/model/errors.ts";
import type { RequestView } from "../../src/model/request-view.ts";
import type { RuleSettings } from "../../src/options/affinity-options.ts";
import { cookieDefaults, defaultHttpLimits, ipDefaults } from "./default-settings.ts";

/** Signs where the rules name none. */
export const secret = "the secret of these tests";

export const cookieRule = { kind: "cookie", ...cookieDefaults, secrets: undefined } as const;
export const sessionRule = { kind: "socket.io", secrets: undefined } as const;
export const ipRule = { kind: "ip", ...ipDefaults } as const;

/** An affinity whose wall clock stands until it is set. */
export function testAffinity(...settings: [RuleSettings, ...RuleSettings[]]) {
  const wall = { now: Date.UTC(2024, 5, 1) };
  const failures: LbError[] = [];
  const affinity = new Affinity({
    settings,
    secret,
    wallClock: () => wall.now,
    keyFailed: (error) => failures.push(error),
  });
  return { affinity, wall, failures };
}

/** A request of which nothing but its Cookie header is known. */
export function view(cookie?: string, rest: Partial<RequestView> = {}): RequestView {
  return { ...rest, header: (name) => (name === "cookie" ? cookie : undefined) };
}

/** A request as the front reads it off the wire. */
export function parsed(lines: readonly string[], body = ""): RequestHead {
  const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1");
  const head = new RequestHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length);
  if (!(head instanceof RequestHead)) throw new Error("The request of this test is not valid");
  return head;
}

/** What the client sends back: Set-Cookie without its attributes. */
export function cookieOf(fields: readonly string[]): string {
  const setCookie = fields[fields.indexOf("Set-Cookie") + 1]!;
  return setCookie.slice(0, setCookie.indexOf(";"));
}

/** Has a client come for the first time, and slot `slot` answer it. */
export function visit(affinity: Affinity, slot: number): string {
  return cookieOf(affinity.responseFields(affinity.decide(view()), slot, false));
}

/** The decision, which has to be for a slot. */
export function expectSlot(decision: AffinityDecision): SlotDecision {
  if (decision.kind !== "slot") throw new Error(`The decision is "${decision.kind}"`);
  return decision;
}

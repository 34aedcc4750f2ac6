import type { WallClock } from "../model/clock.ts";
import type { NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import type { CookieSettings } from "../options/affinity-options.ts";
import type { SlotDecision } from "./decision.ts";
import { soleValue, withoutPairs } from "./pair-list.ts";
import type { Rule } from "./rule.ts";
import { type SlotToken, SlotTokens } from "./slot-tokens.ts";
import { TokenMemo } from "./token-memo.ts";

export interface StickyCookieOptions {
  readonly settings: CookieSettings;
  readonly secrets: NonEmpty<string>;
  readonly position: number;
  readonly wallClock: WallClock;
}

/**
 * Expiry moves on in steps of this part of the life-time. Within a step all cookies of a slot are equal, so there is an
 * HMAC per slot and step instead of one per client, to issue as to verify, and no cookie tells clients apart.
 */
const stepsPerLife = 64;

/** What a cookie that we issued means, made once for all who send it. */
interface Meaning {
  readonly expiresAtS: number;
  readonly current: boolean;
  readonly keep: SlotDecision;
  readonly renew: SlotDecision;
}

/** The response fields for one slot, as they are until the next step. */
interface Issued {
  readonly expiresAtS: number;
  readonly plain: readonly string[];
  readonly secure: readonly string[];
}

/** The inserted cookie: reads it from requests, issues it with responses. See {@link CookieOptions}. */
export class StickyCookie implements Rule {
  readonly #name: string;
  readonly #lifeS: number;
  readonly #stepS: number;
  readonly #attributes: string;
  readonly #tokens: SlotTokens;
  readonly #memo: TokenMemo<Meaning>;
  readonly #wallClock: WallClock;
  /** By slot; only the balancer's own slots are issued for, so their number bounds it. */
  readonly #issued = new Map<number, Issued>();

  constructor({ settings, secrets, position, wallClock }: StickyCookieOptions) {
    const { name, ttlMs, path } = settings;
    this.#name = name;
    this.#lifeS = Math.ceil(ttlMs / 1_000);
    this.#stepS = Math.max(1, Math.floor(this.#lifeS / stepsPerLife));
    this.#attributes = `Path=${path}; Max-Age=${this.#lifeS}; HttpOnly; SameSite=Lax`;
    this.#tokens = new SlotTokens(secrets, `cookie ${name}`);
    this.#memo = new TokenMemo(this.#tokens, (token) => meaningOf(token, position));
    this.#wallClock = wallClock;
  }

  decide(request: RequestView): SlotDecision | undefined {
    const header = request.header?.("cookie");
    if (header === undefined) return undefined;
    const value = soleValue(header, this.#name, ";");
    if (value === undefined) return undefined;
    const meaning = this.#memo.read(value);
    if (meaning === undefined) return undefined;
    const leftS = meaning.expiresAtS - this.#wallClock() / 1_000;
    if (leftS <= 0) return undefined;
    // One that is good for too long was issued when the option, or the machine's time, was another.
    const young = leftS > this.#lifeS / 2 && leftS <= this.#lifeS * 2;
    return young && meaning.current ? meaning.keep : meaning.renew;
  }

  /** The response fields that give the client a cookie for `slot`: name, value, name, value. */
  fieldsFor(slot: number, encrypted: boolean): readonly string[] {
    const nowS = this.#wallClock() / 1_000;
    const expiresAtS = Math.ceil((nowS + this.#lifeS) / this.#stepS) * this.#stepS;
    let issued = this.#issued.get(slot);
    if (issued?.expiresAtS !== expiresAtS) {
      issued = this.#issue(slot, expiresAtS);
      this.#issued.set(slot, issued);
    }
    return encrypted ? issued.secure : issued.plain;
  }

  /** A Cookie header's value without this cookie: the same string if it has none, `""` if nothing else is in it. */
  strip(header: string): string {
    return withoutPairs(header, this.#name, ";");
  }

  #issue(slot: number, expiresAtS: number): Issued {
    const cookie = `${this.#name}=${this.#tokens.issue(slot, expiresAtS)}; ${this.#attributes}`;
    return { expiresAtS, plain: responseFields(cookie), secure: responseFields(`${cookie}; Secure`) };
  }
}

function meaningOf({ slot, qualifier, current }: SlotToken, rule: number): Meaning {
  const decision = { kind: "slot", slot, incarnation: undefined, source: "cookie", rule } as const;
  return {
    expiresAtS: qualifier,
    current,
    keep: Object.freeze({ ...decision, cookie: "keep" }),
    renew: Object.freeze({ ...decision, cookie: "set" }),
  };
}

/** A shared cache must not give one client's cookie to others: HAProxy's `nocache`. */
function responseFields(setCookie: string): readonly string[] {
  return Object.freeze(["Set-Cookie", setCookie, "Cache-Control", "private"]);
}

import type { WallClock } from "../model/clock.ts";
import type { NonEmpty } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import type { AffinitySettings, RuleSettings } from "../options/affinity-options.ts";
import type { AffinityDecision, NoDecision, SlotDecision } from "./decision.ts";
import { addressOf, guarded, headerOf, KeyRule, queryParameterOf } from "./key-rule.ts";
import type { Rule, RulePlace } from "./rule.ts";
import { SessionPrefixes } from "./session-prefix.ts";
import { StickyCookie } from "./sticky-cookie.ts";

export interface AffinityDependencies {
  readonly settings: AffinitySettings;
  /**
   * Signs where the settings name no secret. Those who are to understand each other, such as a primary and its workers,
   * need the same; `randomSecret()` makes one.
   */
  readonly secret: string;
  readonly wallClock: WallClock;
  /** The user's key function threw or returned nonsense (`LB_AFFINITY_KEY`); the request goes on without a key. */
  readonly keyFailed: (error: LbError) => void;
}

const noFields: readonly string[] = Object.freeze([]);

/** Tells where requests belong, from what is in them alone: it knows no endpoint, counts nothing and does no I/O. */
export class Affinity {
  readonly #rules: readonly Rule[];
  readonly #none: NoDecision;
  #cookie: StickyCookie | undefined;
  #sessions: SessionPrefixes | undefined;
  /**
   * The value of a Cookie header without our cookie, for what the app gets to see: the same string if it was not in
   * there, `""` if nothing else was and the header is to go. Undefined: there is no cookie, every header may pass.
   */
  readonly stripCookie: ((header: string) => string) | undefined;

  constructor({ settings, secret, wallClock, keyFailed }: AffinityDependencies) {
    const secrets = settings.map(secretsOf).find((named) => named !== undefined) ?? ([secret] as const);
    const cookieAt = settings.findIndex(({ kind }) => kind === "cookie");
    this.#none = Object.freeze({ kind: "none", cookie: cookieAt === -1 ? "leave" : "set" });
    this.#rules = settings.map((rule, position) => {
      const place: RulePlace = { position, cookie: cookieAt === -1 || position < cookieAt ? "leave" : "set" };
      return this.#make(rule, place, { secrets, wallClock, keyFailed });
    });
    const cookie = this.#cookie;
    this.stripCookie = cookie === undefined ? undefined : (header) => cookie.strip(header);
  }

  /** What the first rule says that finds anything in `request`. Never throws. */
  decide(request: RequestView): AffinityDecision {
    return this.#decideFrom(0, request);
  }

  /**
   * What the rules after it say, when nobody in the slot of `unusable` can take the request: gone, draining, ejected or
   * already tried. The response then moves the client's cookie to the slot that answered in its place.
   */
  decideAfter(unusable: SlotDecision, request: RequestView): AffinityDecision {
    return this.#decideFrom(unusable.rule + 1, request);
  }

  /**
   * The fields that the response to a request gets besides its own (name, value, name, value), given the decision on the
   * request and the slot that answered it. `encrypted`: the client's side of the connection is TLS.
   */
  responseFields(decision: AffinityDecision, slot: number, encrypted: boolean): readonly string[] {
    switch (decision.cookie) {
      case "leave":
        return noFields;
      case "keep":
        if (decision.slot === slot) return noFields;
        break;
      case "set":
    }
    return this.#cookie?.fieldsFor(slot, encrypted) ?? noFields;
  }

  /**
   * What the Engine.IO session ids of this incarnation have to begin with; give it to the worker, whose `generateId`
   * puts it before its own. Undefined unless `"socket.io"` is among the rules.
   */
  sessionPrefix(slot: number, incarnation: number): string | undefined {
    return this.#sessions?.prefixFor(slot, incarnation);
  }

  /** Requests may belong to one incarnation and no other. */
  get keepsSessions(): boolean {
    return this.#sessions !== undefined;
  }

  #make(rule: RuleSettings, place: RulePlace, { secrets, wallClock, keyFailed }: RuleDependencies): Rule {
    switch (rule.kind) {
      case "cookie": {
        const { position } = place;
        this.#cookie = new StickyCookie({ settings: rule, secrets: rule.secrets ?? secrets, position, wallClock });
        return this.#cookie;
      }
      case "socket.io":
        this.#sessions = new SessionPrefixes(rule.secrets ?? secrets, place);
        return this.#sessions;
      case "ip":
        return new KeyRule("ip", addressOf(rule), place);
      case "header":
        return new KeyRule("header", headerOf(rule.name), place);
      case "query":
        return new KeyRule("query", queryParameterOf(rule.name), place);
      case "key":
        return new KeyRule("key", guarded(rule.key, keyFailed), place);
    }
  }

  #decideFrom(position: number, request: RequestView): AffinityDecision {
    for (let at = position; at < this.#rules.length; at++) {
      const decision = this.#rules[at]!.decide(request);
      if (decision !== undefined) return decision;
    }
    return this.#none;
  }
}

interface RuleDependencies extends Pick<AffinityDependencies, "wallClock" | "keyFailed"> {
  /** For rules that name none. */
  readonly secrets: NonEmpty<string>;
}

function secretsOf(rule: RuleSettings): NonEmpty<string> | undefined {
  return "secrets" in rule ? rule.secrets : undefined;
}

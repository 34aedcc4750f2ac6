import { LbError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import type { IpSettings } from "../options/affinity-options.ts";
import { addressKey } from "./address-key.ts";
import type { AffinitySource, KeyDecision } from "./decision.ts";
import { soleValue } from "./pair-list.ts";
import type { Rule, RulePlace } from "./rule.ts";

type KeyOf = (request: RequestView) => string | undefined;

/** A rule that finds a text in the request, by which the request is hashed. */
export class KeyRule implements Rule {
  readonly #source: AffinitySource;
  readonly #keyOf: KeyOf;
  readonly #cookie: RulePlace["cookie"];

  constructor(source: AffinitySource, keyOf: KeyOf, { cookie }: RulePlace) {
    this.#source = source;
    this.#keyOf = keyOf;
    this.#cookie = cookie;
  }

  decide(request: RequestView): KeyDecision | undefined {
    const key = this.#keyOf(request);
    if (key === undefined || key === "") return undefined;
    return { kind: "key", key, source: this.#source, cookie: this.#cookie };
  }
}

export function addressOf(settings: IpSettings): KeyOf {
  return ({ clientAddress }) => (clientAddress === undefined ? undefined : addressKey(clientAddress, settings));
}

export function headerOf(name: string): KeyOf {
  const lowerName = name.toLowerCase();
  return (request) => request.header?.(lowerName);
}

export function queryParameterOf(name: string): KeyOf {
  return ({ target }) => {
    const query = target?.indexOf("?") ?? -1;
    return query === -1 ? undefined : soleValue(target!, name, "&", query + 1);
  };
}

/**
 * A function of the user's. Whatever it does with a client's request must not take the balancer down, so what it throws
 * goes to `failed`, and so does an answer that is no text; the request then has no key.
 */
export function guarded(keyOf: KeyOf, failed: (error: LbError) => void): KeyOf {
  return (request) => {
    let key: unknown;
    try {
      key = keyOf(request);
    } catch (cause) {
      failed(new LbError("LB_AFFINITY_KEY", "The affinity's key function threw: return undefined instead", { cause }));
      return undefined;
    }
    if (key === undefined || typeof key === "string") return key;
    const answer = key === null ? "null" : `a value of type ${typeof key}`;
    failed(
      new LbError("LB_AFFINITY_KEY", `The affinity's key function returned ${answer}: return a string or undefined`),
    );
    return undefined;
  };
}

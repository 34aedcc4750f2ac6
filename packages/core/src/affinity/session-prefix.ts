import type { NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import type { SlotDecision } from "./decision.ts";
import { soleValue } from "./pair-list.ts";
import type { Rule, RulePlace } from "./rule.ts";
import { SlotTokens, tokenLength } from "./slot-tokens.ts";
import { TokenMemo } from "./token-memo.ts";

/**
 * Engine.IO sessions live in the memory of one process, so their ids begin with a token of its slot and incarnation,
 * behind which Engine.IO's own id follows unchanged, with all of its entropy. The `sid` in the query of the target is
 * the only one there is; whatever stands elsewhere in a request is not looked at.
 */
export class SessionPrefixes implements Rule {
  readonly #tokens: SlotTokens;
  readonly #memo: TokenMemo<SlotDecision>;

  constructor(secrets: NonEmpty<string>, { position, cookie }: RulePlace) {
    this.#tokens = new SlotTokens(secrets, "engine.io sid");
    this.#memo = new TokenMemo(this.#tokens, ({ slot, qualifier }) =>
      Object.freeze({ kind: "slot", slot, incarnation: qualifier, source: "socket.io", rule: position, cookie }),
    );
  }

  decide({ target }: RequestView): SlotDecision | undefined {
    if (target === undefined) return undefined;
    const query = target.indexOf("?");
    if (query === -1) return undefined;
    const sid = soleValue(target, "sid", "&", query + 1);
    return sid === undefined || sid.length <= tokenLength ? undefined : this.#memo.read(sid.slice(0, tokenLength));
  }

  prefixFor(slot: number, incarnation: number): string {
    return this.#tokens.issue(slot, incarnation);
  }
}

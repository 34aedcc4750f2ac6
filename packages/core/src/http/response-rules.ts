import type { FieldRules } from "../options/header-options.ts";
import type { SecurityHeaderSettings } from "../options/security-header-options.ts";
import { cameEncrypted, type ForwardingFacts } from "./forwarding.ts";
import { headerLines } from "./header-lines.ts";
import { hostIn } from "./host-list.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";
import { type SecurityField, securityFields } from "./security-fields.ts";

export interface ResponseRulesOptions {
  readonly rules: FieldRules | undefined;
  readonly security: SecurityHeaderSettings | false;
}

const nothing: FieldRules = Object.freeze({ dropped: [], fields: [] });

/**
 * What settings do to the fields of responses: those of the app's are dropped and added to as the rules say, and get what is missing of
 * the fields that tell browsers what not to do.
 */
export class ResponseRules {
  /** Lower-case names of fields that do not go on. */
  readonly dropped: readonly string[];
  readonly #fields: readonly string[];
  readonly #security: readonly SecurityField[];

  constructor({ rules = nothing, security }: ResponseRulesOptions) {
    this.dropped = rules.dropped;
    this.#fields = rules.fields;
    const said = new Set(rules.fields.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
    this.#security = (security === false ? [] : securityFields(security)).filter(
      ({ lowerName }) => !said.has(lowerName),
    );
  }

  /** Complete header lines to add, or `""`. Remembered with the head, of which many responses are made. */
  linesFor(head: ResponseHead, request: RequestHead, facts: ForwardingFacts): string {
    // How a WebSocket is opened is between client and app.
    if (head.status === 101) return "";
    const encrypted = shownEncrypted(request, facts);
    if (head.ruled?.encrypted !== encrypted || head.ruled.by !== this) {
      const { section } = head.fields;
      head.ruled = {
        by: this,
        encrypted,
        lines: headerLines(this.fieldsFor((name) => section.get(name) !== undefined, encrypted)),
      };
    }
    return head.ruled.lines;
  }

  /** For an answer of our own. */
  ownLines({ encrypted, serverName }: Pick<ForwardingFacts, "encrypted" | "serverName">): string {
    return headerLines(this.ownFields(encrypted && serverName !== undefined && !isThisMachine(serverName)));
  }

  /** As {@link fieldsFor}, for an answer of our own. */
  ownFields(encrypted: boolean): readonly string[] {
    return this.#missing(() => false, encrypted);
  }

  /** To be added: name, value, name, value … `has`: the app has sent one of that name, in lower case. */
  fieldsFor(has: (lowerName: string) => boolean, encrypted: boolean): readonly string[] {
    return [...this.#fields, ...this.#missing((name) => has(name) && !this.dropped.includes(name), encrypted)];
  }

  #missing(has: (lowerName: string) => boolean, encrypted: boolean): readonly string[] {
    return this.#security
      .filter(({ lowerName, onlyEncrypted }) => (encrypted || !onlyEncrypted) && !has(lowerName))
      .flatMap(({ name, value }) => [name, value]);
  }
}

/** Whether a response may say that its host is reached by TLS. */
export function shownEncrypted(request: RequestHead, facts: ForwardingFacts): boolean {
  return cameEncrypted(request, facts) && !isThisMachine(hostIn(request.host));
}

/** Undefined: responses are left as they are. */
export function responseRules(options: ResponseRulesOptions): ResponseRules | undefined {
  return options.rules === undefined && options.security === false ? undefined : new ResponseRules(options);
}

/** A browser that is told once to come over TLS would come so to whatever else is developed there. */
export function isThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

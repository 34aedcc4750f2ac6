import { AcmeError } from "./errors.ts";
import type { Answer } from "./transport.ts";

/** RFC 7807, as authorities answer and as they say what was wrong with a proof. */
export interface Problem {
  readonly type?: unknown;
  readonly detail?: unknown;
  readonly subproblems?: unknown;
}

/** What an answer that is no success means. */
export function refusal(answer: Answer, what: string, now: number): AcmeError {
  const retryAfterMs = retryAfter(answer, now);
  const problem = problemIn(answer);
  if (problem === undefined) {
    const message = `${what}: the authority answered with status ${answer.status}.`;
    const code =
      answer.status === 429 ? "LB_ACME_RATE_LIMITED" : answer.status >= 500 ? "LB_ACME_UNREACHABLE" : "LB_ACME_ANSWER";
    return new AcmeError(code, message, { retryAfterMs });
  }
  const type = problemType(problem);
  const limited = type === "rateLimited" || answer.status === 429;
  const message = `${what}: ${problemText(problem)}`;
  return new AcmeError(limited ? "LB_ACME_RATE_LIMITED" : "LB_ACME_REFUSED", message, { type, retryAfterMs });
}

/** Without the prefix that all of them have. */
export function problemType({ type }: Problem): string {
  return typeof type === "string" ? type.replace(/^urn:ietf:params:acme:error:/, "") : "unknown";
}

/** In words, with what is said of single names. */
export function problemText(problem: Problem): string {
  const { detail, subproblems } = problem;
  const own = typeof detail === "string" ? detail.slice(0, 1_000) : problemType(problem);
  const parts = Array.isArray(subproblems)
    ? (subproblems as readonly (Problem & { identifier?: { value?: unknown } })[])
    : [];
  const each = parts
    .slice(0, 10)
    .map((one) => `${String(one.identifier?.value ?? "")}: ${problemText({ ...one, subproblems: [] })}`);
  return [own, ...each].join("; ");
}

function problemIn({ body, headers }: Answer): Problem | undefined {
  if (!/^application\/(problem\+)?json/.test(headers["content-type"] ?? "")) return undefined;
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return typeof parsed === "object" && parsed !== null ? (parsed as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** In milliseconds; `now` is the wall clock's, since it may be a date. */
export function retryAfter({ headers }: Answer, now: number): number | undefined {
  const given = headers["retry-after"]?.trim();
  if (given === undefined) return undefined;
  if (/^\d{1,10}$/.test(given)) return Number(given) * 1_000;
  const at = Date.parse(given);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

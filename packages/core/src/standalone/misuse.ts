import type { Endpoint } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import { failureReasons, type Outcome } from "../model/outcome.ts";
import type { RequestView } from "../model/request-view.ts";
import { nearest } from "../options/validation.ts";

// What JavaScript callers may get wrong, and what would otherwise be counted as something else.

const kinds = ["response", "success", "failure", "cancelled"] as const satisfies readonly Outcome["kind"][];

/** @throws OptionError for what is no outcome */
export function checkOutcome(outcome: Outcome): void {
  const { kind } = given(outcome, "outcome", `give an outcome such as { kind: "response", status: 200 }`);
  switch (kind) {
    case "response": {
      const { status } = outcome as { readonly status: unknown };
      if (!Number.isInteger(status) || (status as number) < 100 || (status as number) > 999) {
        throw new OptionError("outcome.status", status, "give the status of the response, from 100 to 999");
      }
      break;
    }
    case "failure": {
      const { reason } = outcome as { readonly reason: unknown };
      if (!failureReasons.includes(reason as never)) throw unknownName("outcome.reason", reason, failureReasons);
      break;
    }
    case "success":
    case "cancelled":
      break;
    default:
      throw unknownName("outcome.kind", kind, kinds);
  }
  const { latencyMs } = outcome as { readonly latencyMs?: unknown };
  if (latencyMs === undefined || (Number.isFinite(latencyMs) && (latencyMs as number) >= 0)) return;
  throw new OptionError("outcome.latencyMs", latencyMs, "give milliseconds of at least 0, or leave it out");
}

/** @throws OptionError for what is no view of a request, above all for a request itself */
export function checkRequest(request: RequestView): void {
  const { header, headers } = given(request, "request", "give a view of the request, as requestViewOf makes it");
  const isRequest = header === undefined && headers !== undefined;
  if (!isRequest && (header === undefined || typeof header === "function")) return;
  throw new OptionError("request", request, "give requestViewOf(request): the request itself is not read");
}

/** @throws OptionError for what is no set */
export function checkExclude(exclude: ReadonlySet<Endpoint> | undefined): void {
  if (exclude === undefined || typeof (exclude as { has?: unknown } | null)?.has === "function") return;
  throw new OptionError("exclude", exclude, "give a Set of the endpoints of leases that failed this request");
}

/** @throws OptionError for another name */
export function checkName<Name extends string>(option: string, name: Name, known: readonly Name[]): void {
  if (!known.includes(name)) throw unknownName(option, name, known);
}

function given(value: unknown, option: string, remedy: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  throw new OptionError(option, value, remedy);
}

function unknownName(option: string, name: unknown, known: readonly string[]): OptionError {
  const list = `use one of ${known.map((one) => JSON.stringify(one)).join(", ")}`;
  const near = typeof name === "string" ? nearest(name, known) : undefined;
  return new OptionError(
    option,
    name,
    near === undefined ? list : `did you mean ${JSON.stringify(near)}? If not, ${list}`,
  );
}

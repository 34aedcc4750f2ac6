import { hostIn } from "../http/host-list.ts";
import { OptionError } from "../model/errors.ts";
import type { RouteSettings } from "../options/route-settings.ts";
import { type Mismatch, mismatch, type RoutedRequest } from "../routing/route-rule.ts";

/** A request as it is asked about. */
export interface RouteQuestion {
  /** `"https://example.com/api?x=1"`, or a target alone, whose host is then nobody's. */
  readonly url: string;
  /** Default `"GET"`. */
  readonly method?: string | undefined;
  /** By name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** One route. */
export interface RouteLine {
  readonly name: string;
  /** Where it leads, in a few words. */
  readonly to: string;
  /** What is done on the way, by the names of options. */
  readonly with: readonly string[];
  /** What of the request that is asked about is not as it says; `null`: nothing. Absent: none is asked about. */
  readonly mismatch?: NonNullable<Mismatch> | "port" | null;
}

export interface RouteReport {
  readonly routes: readonly RouteLine[];
  /** The number of the route that the request takes, from 0 on; `null`: none, so that it is the app's. Absent: none is asked about. */
  readonly taken?: number | null;
  /** Routes before that one that take it if they have such a file. Absent: none is asked about. */
  readonly takenIfThere?: readonly number[];
}

/** The routes, and which of them a request takes. @throws OptionError for a URL that is none */
export function routeReport(routes: readonly RouteSettings[], question: RouteQuestion | undefined): RouteReport {
  if (question === undefined) return { routes: routes.map(lineOf) };
  const request = asked(question);
  const lines = routes.map((route) => ({ ...lineOf(route), mismatch: mismatchOf(route, request) ?? null }));
  const fit = [...lines.keys()].filter((number) => lines[number]!.mismatch === null);
  const taken = fit.find((number) => !routes[number]!.passesOn) ?? null;
  const takenIfThere = fit.filter((number) => routes[number]!.passesOn && (taken === null || number < taken));
  return { routes: lines, taken, takenIfThere };
}

/** Those that pass on what is not there pass on what does more than read, too. */
function mismatchOf(route: RouteSettings, request: RoutedRequest): Mismatch | "port" {
  // Which listener it comes in at is not asked.
  if (route.listener !== undefined) return "port";
  const found = mismatch(route.rule, request);
  return found === undefined && route.passesOn && !/^(GET|HEAD)$/.test(request.method) ? "method" : found;
}

function lineOf({ name, to, ...rest }: RouteSettings): RouteLine {
  const done = (
    ["stripPrefix", "rewrite", "strategy", "affinity", "retry", "maxBodyBytes", "maxRequestsInFlight"] as const
  ).filter((option) => rest[option] !== undefined);
  const guards = (["rateLimit", "allow", "deny", "basicAuth"] as const).filter((option) => rest[option] !== undefined);
  const { request, response } = rest.headers;
  const timed = Object.values(rest.timeouts).some((ms) => ms !== undefined);
  const others = [
    ...(timed ? ["timeouts"] : []),
    ...(request === undefined && response === undefined ? [] : ["headers"]),
  ];
  return { name, to: wordsFor(to), with: [...guards, ...done, ...others] };
}

function wordsFor(to: RouteSettings["to"]): string {
  switch (to.kind) {
    case "files":
      return `files of ${to.files.root}${to.files.fallthrough ? ", if there" : ""}`;
    case "redirect":
      return `${to.status} ${to.location}`;
    case "respond":
      return `${to.status}`;
    case "pools":
      return to.parts.length === 1
        ? to.parts[0]!.pool
        : to.parts.map(({ pool, weight }) => `${pool} × ${weight}`).join(", ");
  }
}

function asked({ url, method = "GET", headers = {} }: RouteQuestion) {
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [undefined, "", url];
  const target = rest!.startsWith("/") || rest === "*" ? rest! : `/${rest}`;
  if (/[\s#]/.test(target) || (authority !== "" && !URL.canParse(`http://${authority}/`))) {
    throw new OptionError("url", url, 'give a URL such as "https://example.com/api", or a path');
  }
  const fields = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { method, target, hostName: hostIn(authority!), header: (name: string) => fields.get(name) };
}

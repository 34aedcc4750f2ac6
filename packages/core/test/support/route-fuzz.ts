import type { Random } from "../../src/model/random.ts";
import { parsePathPattern } from "../../src/routing/path-pattern.ts";
import { covers, type HeaderRule, mismatch, type RouteRule } from "../../src/routing/route-rule.ts";
import { RouteTable } from "../../src/routing/route-table.ts";
import { unreachableRule } from "../../src/routing/unreachable.ts";
import type { FuzzCase, FuzzTarget } from "./fuzz.ts";
import { integerBelow, pick } from "./mutate.ts";

/** A rule as users write it. */
interface Written {
  readonly hosts?: readonly string[];
  readonly paths?: readonly string[];
  readonly methods?: readonly string[];
  readonly headers: readonly HeaderRule[];
}

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly hostName: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Tables of routes and requests for them. The route that is found is the one that a look at one after the other finds, each by regular
 * expressions made of what was written; one that is said to be out of reach is taken by none of the requests; and whether one is found
 * out of reach does not depend on how it is looked for.
 */
export const routeTarget: FuzzTarget = {
  name: "routes",
  check(random) {
    const written = Array.from({ length: 1 + integerBelow(8, random) }, () => ruleFor(random));
    const asked = Array.from({ length: 6 }, () => requestFor(random));
    const rules = written.map(parsed);
    const table = new RouteTable(rules);
    const dead = unreachableRule(rules.map((rule) => ({ rule })));
    let accepted = false;
    const complaints = sameDead(rules, dead) ? [] : ["what is out of reach is not what a look at each pair finds"];
    for (const request of asked) {
      const after = random() < 0.7 ? -1 : integerBelow(rules.length, random);
      const routed = { ...request, header: (name: string) => request.headers[name] };
      const found = table.find(routed, after) ?? -1;
      const fit = written.map((rule) => fits(rule, request));
      const expected = fit.findIndex((does, number) => does && number > after);
      if (expected !== -1) accepted = true;
      if (found !== expected) complaints.push(`${found} behind ${after}, not ${expected}: ${JSON.stringify(request)}`);
      const judged = rules.findIndex((rule, number) => fit[number] !== (mismatch(rule, routed) === undefined));
      if (judged !== -1) complaints.push(`route ${judged} is judged otherwise: ${JSON.stringify(request)}`);
      if (dead !== undefined && fit.indexOf(true) === dead.number)
        complaints.push(`${dead.number} is taken: ${JSON.stringify(request)}`);
    }
    const bytes = Buffer.from(JSON.stringify(written));
    return { bytes, accepted, divergence: complaints[0] } satisfies FuzzCase;
  },
};

function sameDead(rules: readonly RouteRule[], dead: ReturnType<typeof unreachableRule>): boolean {
  for (const [number, rule] of rules.entries()) {
    const behind = rules.slice(0, number).findIndex((before) => covers(before, rule));
    if (behind !== -1) return dead?.number === number && dead.behind === behind;
  }
  return dead === undefined;
}

function parsed({ hosts, paths, methods, headers }: Written): RouteRule {
  return { hosts, paths: paths?.map((text) => parsePathPattern(text)!), methods, headers };
}

function fits({ hosts, paths, methods, headers }: Written, request: Asked): boolean {
  const { method, target, hostName } = request;
  const path = target === "*" ? "" : target.replace(/\?.*$/s, "");
  return (
    (hosts === undefined || hosts.some((host) => hostExpression(host).test(hostName))) &&
    (paths === undefined || paths.some((text) => pathExpression(text).test(path))) &&
    (methods === undefined || methods.includes(method)) &&
    headers.every((rule) => {
      const value = request.headers[rule.name];
      return rule.kind === "present"
        ? (value !== undefined) === rule.present
        : rule.values.some((one) => one === value);
    })
  );
}

function hostExpression(host: string): RegExp {
  const escaped = host.replace("*.", "").replaceAll(".", "\\.");
  return new RegExp(host.startsWith("*.") ? `^.+\\.${escaped}$` : `^${escaped}$`, "s");
}

function pathExpression(text: string): RegExp {
  const given = text.startsWith("/") ? text : `/${text}`;
  const segments = given.slice(1).split("/");
  const last = segments.pop()!;
  const before = segments.map((segment) => `/${segmentExpression(segment)}`).join("");
  if (last === "*") return new RegExp(`^${before}(/.*)?$`, "s");
  if (last.startsWith("*.")) return new RegExp(`^${before}/(.*/)?[^/]*\\.${last.slice(2)}$`, "s");
  return new RegExp(`^${before}/${segmentExpression(last)}$`, "s");
}

function segmentExpression(segment: string): string {
  return segment.startsWith(":") ? "[^/]+" : segment.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}

function ruleFor(random: Random): Written {
  const headers = Array.from({ length: Math.max(0, integerBelow(5, random) - 2) }, () => headerFor(random));
  return {
    ...someOf("hosts", () => pick(hosts, random), random),
    ...someOf("paths", () => patternFor(random), random),
    ...someOf("methods", () => pick(methods, random), random),
    headers,
  };
}

function someOf(name: string, one: () => string, random: Random): Partial<Written> {
  if (random() < (name === "paths" ? 0.2 : 0.6)) return {};
  return { [name]: Array.from({ length: 1 + integerBelow(2, random) }, one) };
}

function patternFor(random: Random): string {
  for (;;) {
    const before = Array.from({ length: integerBelow(4, random) }, () => `/${pick(segments, random)}`).join("");
    const text = `${before}${pick(ends, random)}`;
    if (parsePathPattern(text) !== undefined) return text;
  }
}

function headerFor(random: Random): HeaderRule {
  const name = pick(["x", "y"], random);
  if (random() < 0.4) return { kind: "present", name, present: random() < 0.5 };
  return { kind: "values", name, values: [pick(values, random), pick(values, random)] };
}

function requestFor(random: Random): Asked {
  const path = Array.from({ length: 1 + integerBelow(4, random) }, () => `/${pick(parts, random)}`).join("");
  const target = random() < 0.03 ? "*" : `${path}${pick(["", "", "?a/b", "?"], random)}`;
  const headers: Record<string, string> = {};
  for (const name of ["x", "y"]) if (random() < 0.5) headers[name] = pick(values, random);
  return { method: pick(methods, random), target, hostName: pick(names, random), headers };
}

const segments = ["a", "b", "", ":x", ":y", "a.css", "..", "%61"];
const ends = ["/*", "/*", "*", "/*.css", "/*.js", "*.css", "/a", "/", "/a.css", "/:z", "/b.js"];
const parts = ["a", "b", "", "c", "a.css", "b.js", "a.b.css", ".css", "css", "..", "%61", "A", "a%2Fb", "a\\b"];
const hosts = ["x.example", "*.example", "*.x.example", "example", "y", "*.y", "xyexample"];
const names = ["x.example", "z.x.example", "z.z.x.example", "example", "y", "", "q.y", ".example", "x.exampley"];
const methods = ["GET", "POST", "PUT"];
const values = ["1", "2", ""];

import { covers as coversPath, matchPath, type PathPattern, pathOf } from "./path-pattern.ts";

/** What is looked at of a request. */
export interface RoutedRequest {
  readonly method: string;
  /** In origin form, byte for byte. */
  readonly target: string;
  /** Lower-case, without port; `""` if none was named. */
  readonly hostName: string;
  header(lowerName: string): string | undefined;
}

/** `present`: it is there, or is not; `values`: it is one of these. */
export type HeaderRule =
  | { readonly kind: "present"; readonly name: string; readonly present: boolean }
  | { readonly kind: "values"; readonly name: string; readonly values: readonly string[] };

/** Which requests a route is for: those that are as all of this says. Lists are alternatives, and what is undefined is all. */
export interface RouteRule {
  /** Lower-case; `*.` at the beginning stands for one label or several. */
  readonly hosts: readonly string[] | undefined;
  readonly paths: readonly PathPattern[] | undefined;
  readonly methods: readonly string[] | undefined;
  /** All of them; names in lower case. */
  readonly headers: readonly HeaderRule[];
}

/** Why a request is not one of a route's; `undefined`: it is. */
export type Mismatch = "host" | "path" | "method" | "header" | undefined;

/** Judges one rule by itself. What {@link RouteTable} finds is the first rule that this has nothing against. */
export function mismatch(rule: RouteRule, request: RoutedRequest): Mismatch {
  if (rule.hosts !== undefined && !rule.hosts.some((host) => isHost(host, request.hostName))) return "host";
  const path = pathOf(request.target);
  if (rule.paths !== undefined && !rule.paths.some((pattern) => matchPath(pattern, path) !== undefined)) return "path";
  if (rule.methods !== undefined && !rule.methods.includes(request.method)) return "method";
  return hasHeaders(rule, request) ? undefined : "header";
}

/** Whether the method and the header fields are as the rule says. */
export function accepts(rule: RouteRule, request: RoutedRequest): boolean {
  return (rule.methods === undefined || rule.methods.includes(request.method)) && hasHeaders(rule, request);
}

function hasHeaders({ headers }: RouteRule, request: RoutedRequest): boolean {
  for (const rule of headers) {
    const value = request.header(rule.name);
    const has = rule.kind === "present" ? (value !== undefined) === rule.present : rule.values.includes(value ?? "");
    if (!has || (rule.kind === "values" && value === undefined)) return false;
  }
  return true;
}

function isHost(host: string, name: string): boolean {
  return host.startsWith("*.") ? name.endsWith(host.slice(1)) && name.length > host.length - 1 : name === host;
}

/** Whether every request of `inner` is one of `outer`: behind that, `inner` gets none. */
export function covers(outer: RouteRule, inner: RouteRule): boolean {
  const hosts = inner.hosts ?? [undefined];
  const paths = inner.paths ?? [undefined];
  return (
    hosts.every((host) => coversHost(outer.hosts, host)) &&
    paths.every((path) => coversPaths(outer.paths, path)) &&
    coversMethods(outer.methods, inner.methods) &&
    outer.headers.every((rule) => inner.headers.some((other) => implies(other, rule)))
  );
}

function coversHost(outer: readonly string[] | undefined, host: string | undefined): boolean {
  if (outer === undefined) return true;
  if (host === undefined) return false;
  return outer.some((one) => one === host || (one.startsWith("*.") && isHost(one, host.replace(/^\*/, "x"))));
}

function coversPaths(outer: readonly PathPattern[] | undefined, path: PathPattern | undefined): boolean {
  if (outer === undefined) return true;
  if (path === undefined) return outer.some(({ segments, rest }) => segments.length === 0 && rest.kind === "below");
  return outer.some((one) => coversPath(one, path));
}

function coversMethods(outer: readonly string[] | undefined, inner: readonly string[] | undefined): boolean {
  if (outer === undefined) return true;
  return inner?.every((method) => outer.includes(method)) ?? false;
}

/** What is as `given` says is as `wanted` says. */
function implies(given: HeaderRule, wanted: HeaderRule): boolean {
  if (given.name !== wanted.name) return false;
  if (wanted.kind === "values") {
    return given.kind === "values" && given.values.every((value) => wanted.values.includes(value));
  }
  return given.kind === "values" ? wanted.present : given.present === wanted.present;
}

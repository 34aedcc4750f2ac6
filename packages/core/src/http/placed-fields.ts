import { clientCookiePath, rewriteCookie } from "./cookie-rewriting.ts";
import { type FieldSection, lineStride } from "./field-section.ts";
import { type BackendPlace, rewriteLocation, rewriteRefresh } from "./location-rewriting.ts";
import type { ResponseHead } from "./response-head.ts";

/** Which fields of a response are made to name places as its client finds them. */
export interface PlacedFieldRules {
  /** `Location`, `Content-Location` and `Refresh`. */
  readonly locations: boolean;
  /**
   * - `moved`: a cookie's path goes where the backend's paths go, but for `/`, which browsers send there in any case; a domain that
   *   is the backend's own, which they would not take, is left out;
   * - `mounted`: `/` is the path of the backend, too, so that nobody else gets its cookies, and no domain is said;
   * - `kept`.
   */
  readonly cookies: "moved" | "mounted" | "kept";
}

/** What takes the place of fields: their names in lower case, and complete lines. */
export interface PlacedFields {
  readonly names: readonly string[];
  readonly lines: string;
}

const locationNames = ["location", "content-location", "refresh"];
const cookieName = "set-cookie";

/** Whether there is any of those fields in a head at all; most have none. */
export function namesPlaces(head: ResponseHead): boolean {
  head.namesPlaces ??= [...locationNames, cookieName].some((name) => head.fields.section.get(name) !== undefined);
  return head.namesPlaces;
}

/** `dropped`: those that do not go on. Undefined: all others say already what they have to. */
export function placedFields(
  head: ResponseHead,
  { locations, cookies }: PlacedFieldRules,
  place: BackendPlace,
  dropped: readonly string[] = [],
): PlacedFields | undefined {
  const names = [...(locations ? locationNames : []), ...(cookies === "kept" ? [] : [cookieName])];
  const rewritten = names
    .filter((name) => !dropped.includes(name))
    .flatMap((name) => changed(head.fields.section, name, rewriting(name, cookies, place)) ?? []);
  if (rewritten.length === 0) return undefined;
  return { names: rewritten.map(({ name }) => name), lines: rewritten.map(({ lines }) => lines).join("") };
}

/** All lines of a name, if one of them becomes another one: those of cookies keep their order. */
function changed(section: FieldSection, name: string, rewrite: (value: string) => string) {
  let lines = "";
  let differs = false;
  for (let index = 0; index < section.lines.length; index += lineStride) {
    if (!section.isNamed(index, name)) continue;
    const value = section.value(index);
    const made = rewrite(value);
    differs ||= made !== value;
    lines += `${section.text.substring(section.lines[index]!, section.lines[index + 1]!)}: ${made}\r\n`;
  }
  return differs ? { name, lines } : undefined;
}

function rewriting(name: string, cookies: PlacedFieldRules["cookies"], place: BackendPlace): (value: string) => string {
  if (name === "refresh") return (value) => rewriteRefresh(value, place);
  if (name !== cookieName) return (value) => rewriteLocation(value, place);
  const rules = {
    path: (path: string) => (cookies === "moved" && path === "/" ? path : clientCookiePath(path, place)),
    domain: (domain: string) => (cookies === "mounted" || isOwn(domain, place) ? undefined : domain),
  };
  return (cookie) => rewriteCookie(cookie, rules);
}

function isOwn(domain: string, { backendAuthorities, clientAuthority }: BackendPlace): boolean {
  const host = domain.replace(/^\./, "").toLowerCase();
  const isHostOf = (authority: string) => authority.toLowerCase().replace(/:\d+$/, "") === host;
  return backendAuthorities.some(isHostOf) && !(clientAuthority !== undefined && isHostOf(clientAuthority));
}

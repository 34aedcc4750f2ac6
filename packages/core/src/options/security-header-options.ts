import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";
import { defaultsOr, offOr, oneOf, options, wholeNumber, yesOrNo } from "./validation.ts";

/** `Strict-Transport-Security`: browsers come over TLS alone from then on. */
export interface HstsSettings {
  /** For how long they keep to it. Default 31,536,000: a year. */
  readonly maxAgeSeconds: number;
  /** All hosts below this one have TLS, too. Default false. */
  readonly includeSubDomains: boolean;
  /** It may be listed in browsers (hstspreload.org). Default false. */
  readonly preload: boolean;
}

/** Fields that tell browsers what not to do. One that the app sets itself is left as it is. */
export interface SecurityHeaderSettings {
  /** Over TLS alone, and not for `localhost`. `false`: none. */
  readonly hsts: false | HstsSettings;
  /** `X-Content-Type-Options: nosniff`. Default true. */
  readonly contentTypeOptions: boolean;
  /** `X-Frame-Options`: who may show a page in a frame. Default `"SAMEORIGIN"`. */
  readonly frameOptions: false | "DENY" | "SAMEORIGIN";
  /** `Referrer-Policy`: what others are told of where a browser comes from. Default `"strict-origin-when-cross-origin"`. */
  readonly referrerPolicy: false | (typeof referrerPolicies)[number];
}

/** As a user writes them: what is left out has the default named there. */
export type SecurityHeaderOptions = {
  readonly [Name in keyof SecurityHeaderSettings]?: Name extends "hsts"
    ? false | Partial<HstsSettings>
    : SecurityHeaderSettings[Name];
};

const referrerPolicies = [
  "no-referrer",
  "no-referrer-when-downgrade",
  "origin",
  "origin-when-cross-origin",
  "same-origin",
  "strict-origin",
  "strict-origin-when-cross-origin",
  "unsafe-url",
] as const;

const yearSeconds = 31_536_000;

const hsts = v.pipe(
  options({
    maxAgeSeconds: option(wholeNumber(0, 100 * yearSeconds), yearSeconds, "for how long browsers keep to it: a year"),
    includeSubDomains: option(yesOrNo(), false, "all hosts below this one have TLS, too"),
    preload: option(yesOrNo(), false, "it may be listed in browsers (hstspreload.org)"),
  } satisfies EntriesOf<HstsSettings>),
  v.check(
    ({ preload, includeSubDomains, maxAgeSeconds }) => !preload || (includeSubDomains && maxAgeSeconds >= yearSeconds),
    `preload takes includeSubDomains, and maxAgeSeconds of at least ${yearSeconds}`,
  ),
);

const given = options({
  hsts: option(offOr(hsts), {}, "`Strict-Transport-Security`, over TLS alone; `false`: none", {
    otherwise: "on",
  }),
  contentTypeOptions: option(yesOrNo(), true, "`X-Content-Type-Options: nosniff`"),
  frameOptions: option(
    offOr(oneOf(["DENY", "SAMEORIGIN"])),
    "SAMEORIGIN",
    "`X-Frame-Options`: who may show a page in a frame",
  ),
  referrerPolicy: option(
    offOr(oneOf(referrerPolicies)),
    "strict-origin-when-cross-origin",
    "`Referrer-Policy`: what others are told of where a browser comes from",
  ),
} satisfies EntriesOf<SecurityHeaderOptions>);

/** `true` is all defaults. */
export const securityHeaderSchema = defaultsOr<SecurityHeaderOptions, SecurityHeaderSettings>(given);

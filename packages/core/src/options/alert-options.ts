import * as v from "valibot";
import type { AlertMessage } from "../model/alert.ts";
import { type AlertRuleOptions, type AlertRuleSettings, alertRuleSchema } from "./alert-rule-options.ts";
import { type EntriesOf, option, required } from "./option.ts";
import { callback, milliseconds, oneOf, options, secretText, wholeNumber } from "./validation.ts";

export type AlertFunction = (message: AlertMessage) => void | Promise<void>;

/** Where mail is given to, from whom it is, and for whom. */
export interface MailOptions {
  /** `"smtp://user:password@host:587"`, or `"smtps://…"` for TLS from the beginning. */
  readonly smtp: string;
  readonly from: string;
  readonly to: string | readonly string[];
}

/** Who is told. */
export type AlertTarget =
  | {
      /** Gets messages as JSON by POST. */
      readonly webhook: string;
      /** Signs them, as standardwebhooks.com says. */
      readonly secret?: string | undefined;
    }
  | {
      /** The URL of an incoming webhook of Slack's, or of whoever takes the same. */
      readonly slack: string;
    }
  | { readonly mail: MailOptions }
  | AlertFunction;

export interface QuietHoursOptions {
  /** As `"22:00"`. */
  readonly from: string;
  /** As `"07:00"`. */
  readonly to: string;
  /** As `"Europe/Berlin"`. Default: the machine's. */
  readonly timeZone?: string | undefined;
  /** What is critical is sent all the same, `"send"`, or not either: `"hold"`. Default `"send"`. */
  readonly critical?: "send" | "hold" | undefined;
}

export interface DigestOptions {
  /** So many messages go out as they come; what comes then goes out together. Default 5. */
  readonly messages?: number | undefined;
  /** In so long, in milliseconds. Default 60,000. */
  readonly perMs?: number | undefined;
}

/** Who is told when something is wrong, and of what. */
export interface AlertOptions {
  /** Who is told: `{ webhook, secret }`, `{ slack }`, `{ mail: { smtp, from, to } }`, or a function that takes messages. */
  readonly to: readonly AlertTarget[];
  /** Of what. Default: of all that is worth it. */
  readonly on?: AlertRuleOptions | undefined;
  /** When messages wait for the end of it, and then are one. Default: never. */
  readonly quietHours?: QuietHoursOptions | undefined;
  /** When so many come that they become one. */
  readonly digest?: DigestOptions | undefined;
}

export interface QuietHoursSettings {
  /** In minutes from midnight on. */
  readonly from: number;
  readonly to: number;
  readonly timeZone: string | undefined;
  readonly critical: "send" | "hold";
}

export interface DigestSettings {
  readonly messages: number;
  readonly perMs: number;
}

export interface AlertSettings {
  readonly to: readonly AlertTarget[];
  readonly on: AlertRuleSettings;
  readonly quietHours: QuietHoursSettings | undefined;
  readonly digest: DigestSettings;
}

const urlRemedy = 'give a URL such as "https://example.com/alerts"';
const url = v.pipe(
  v.string(urlRemedy),
  v.check((given) => schemeOf(given, ["http:", "https:"]), urlRemedy),
);

const smtpRemedy = 'give "smtp://user:password@host:587", or "smtps://…" for TLS from the beginning';
const smtp = v.pipe(
  v.string(smtpRemedy),
  v.check((given) => schemeOf(given, ["smtp:", "smtps:"]), smtpRemedy),
);

function schemeOf(given: string, schemes: readonly string[]): boolean {
  const parsed = URL.parse(given);
  return parsed !== null && schemes.includes(parsed.protocol) && parsed.hostname !== "";
}

const addressRemedy = 'give an address such as "Ops <ops@example.com>"';
const address = v.pipe(v.string(addressRemedy), v.regex(/^[^\r\n]*\S@\S[^\r\n]*$/, addressRemedy));

const webhook = options({ webhook: url, secret: v.optional(secretText) });
const slack = options({ slack: url });
const mail = options({
  mail: options({
    smtp,
    from: address,
    to: v.union(
      [address, v.pipe(v.array(address, addressRemedy), v.minLength(1, addressRemedy), v.readonly())],
      addressRemedy,
    ),
  }),
});
const targetRemedy = "give { webhook }, { slack }, { mail: { smtp, from, to } }, or a function that takes messages";
const call = callback<AlertFunction>(targetRemedy);

/** By what it has, so that the error is about what is wrong with it. */
const target = v.lazy((input): v.GenericSchema<AlertTarget, AlertTarget> => {
  const given = typeof input === "object" && input !== null ? input : {};
  if ("webhook" in given) return webhook as never;
  if ("slack" in given) return slack as never;
  return ("mail" in given ? mail : call) as never;
});

const timeRemedy = 'give a time of day such as "22:00"';
const timeOfDay = () =>
  v.pipe(
    v.string(timeRemedy),
    v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, timeRemedy),
    v.transform((given) => Number(given.slice(0, 2)) * 60 + Number(given.slice(3))),
  );

const zoneRemedy = 'give a time zone such as "Europe/Berlin"';
const timeZone = v.pipe(
  v.string(zoneRemedy),
  v.check((given) => {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: given }) !== undefined;
    } catch {
      return false;
    }
  }, zoneRemedy),
);

const quietHours = options({
  from: required(timeOfDay(), 'when they begin, as `"22:00"`'),
  to: required(timeOfDay(), 'when they end, as `"07:00"`'),
  timeZone: option(timeZone, undefined, 'as `"Europe/Berlin"`', { otherwise: "the machine's" }),
  critical: option(oneOf(["send", "hold"]), "send", 'what is critical is sent all the same, or waits too: `"hold"`'),
} satisfies EntriesOf<QuietHoursOptions>);

const digest = options({
  messages: option(wholeNumber(1, 1_000), 5, "so many go out as they come; what comes then goes out together"),
  perMs: option(milliseconds(1_000), 60_000, "in so long"),
} satisfies EntriesOf<DigestOptions>);

/** More targets are a mistake. */
const maxTargets = 20;
const targetsRemedy = `give a list of up to ${maxTargets}, each { webhook }, { slack }, { mail } or a function`;

export const alertSchema = options({
  to: required(
    v.pipe(
      v.array(target, targetsRemedy),
      v.minLength(1, targetsRemedy),
      v.maxLength(maxTargets, targetsRemedy),
      v.readonly(),
    ),
    "who is told: `{ webhook, secret }`, `{ slack }`, `{ mail: { smtp, from, to } }`, or a function that takes messages",
  ),
  on: option(alertRuleSchema, {}, "of what; of each `false`, or:", { otherwise: "all but `latency`" }),
  quietHours: option(quietHours, undefined, "when messages wait for the end of it, and then are one"),
  digest: option(digest, {}, "when so many come that they become one", { otherwise: "see below" }),
} satisfies EntriesOf<AlertOptions>) as unknown as v.GenericSchema<AlertOptions, AlertSettings> & {
  readonly entries: v.ObjectEntries;
};

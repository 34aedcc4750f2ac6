import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";
import { options } from "./validation.ts";

/** What becomes of the fields of a message. They are set and added as they are written; names are compared without case. */
export interface HeaderRuleOptions {
  /** In place of those of the same name: `{ Name: "value" }`. */
  readonly set?: HeaderFields | undefined;
  /** Beside those of the same name. */
  readonly add?: HeaderFields | undefined;
  /** Names of those that do not go on. */
  readonly remove?: readonly string[] | undefined;
}

/** By name; several of a name as a list. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

export interface HeaderOptions {
  /** On the way to the app, the fields of the client's as they came; forwarding fields are not among them. */
  readonly request?: HeaderRuleOptions | undefined;
  /** On the way to the client, those of the app. */
  readonly response?: HeaderRuleOptions | undefined;
}

/** {@link HeaderRuleOptions}, ready to be applied. */
export interface FieldRules {
  /** In lower case. */
  readonly dropped: readonly string[];
  /** To be added: name, value, name, value … */
  readonly fields: readonly string[];
}

export interface HeaderSettings {
  readonly request: FieldRules | undefined;
  readonly response: FieldRules | undefined;
}

/** Of either direction: what one connection is about, where a message ends, and the handshake of a WebSocket. */
const ofConnection =
  /^(connection|keep-alive|proxy-.+|te|trailer|transfer-encoding|content-length|upgrade|http2-settings|expect|sec-websocket-.+)$/;
const ofRequest = /^(host|forwarded|proxy|x[-_](forwarded[-_](for|proto|host|port)|real[-_]ip))$/;
const ofResponse = /^date$/;

/** Longer ones are no rule but a mistake, and every message carries them. */
const maxValueLength = 8_192;
const maxFields = 64;

const valueRemedy = `give text of at most ${maxValueLength} characters, without line breaks and white space at its ends`;

const value = v.pipe(
  v.string(valueRemedy),
  v.maxLength(maxValueLength, valueRemedy),
  v.regex(/^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/, valueRemedy),
);

const values = v.union([value, v.pipe(v.array(value), v.minLength(1, valueRemedy))], valueRemedy);

function fieldName(isRefused: RegExp, why: string) {
  return v.pipe(
    v.string("give the name of a header field"),
    v.regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, "give the name of a header field"),
    v.check(
      (name) => !ofConnection.test(name.toLowerCase()),
      "it says how a message is carried, which is the front's affair",
    ),
    v.check((name) => !isRefused.test(name.toLowerCase()), why),
  );
}

function rules(isRefused: RegExp, why: string) {
  const name = fieldName(isRefused, why);
  const fields = v.pipe(
    v.record(name, values, 'give an object of fields: { Name: "value" }'),
    v.check((given) => Object.keys(given).length <= maxFields, `give ${maxFields} fields at most`),
  );
  return v.pipe(
    options({
      set: option(fields, {}, 'in place of those of the same name: `{ Name: "value" }`', { otherwise: "none" }),
      add: option(fields, {}, "beside those of the same name", { otherwise: "none" }),
      remove: option(
        v.pipe(v.array(name, "give a list of names"), v.maxLength(maxFields, `give ${maxFields} names at most`)),
        [],
        "names of those that do not go on",
        { otherwise: "none" },
      ),
    } satisfies EntriesOf<HeaderRuleOptions>),
    v.transform(({ set, add, remove }): FieldRules => {
      const fields = [...Object.entries(set), ...Object.entries(add)];
      return {
        dropped: [...new Set([...Object.keys(set), ...remove].map((one) => one.toLowerCase()))],
        fields: fields.flatMap(([field, given]) => [given].flat().flatMap((one) => [field, one])),
      };
    }),
  );
}

const requestRules = rules(
  ofRequest,
  'the front says it itself; whom it believes is said by the option "trustedProxies"',
);
const responseRules = rules(ofResponse, "the front says it itself where the app does not");

export const headerSchema = options({
  request: option(requestRules, undefined, "`{ set, add, remove }`: of requests, as the app gets them", {
    otherwise: "none",
  }),
  response: option(responseRules, undefined, "`{ set, add, remove }`: of the app's responses", { otherwise: "none" }),
} satisfies EntriesOf<HeaderOptions>);

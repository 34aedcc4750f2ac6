import * as v from "valibot";
import { OptionError } from "../model/errors.ts";
import { type EntriesOf, option } from "./option.ts";
import { defaultsOr, offOr, oneOf, options, share, withEntries } from "./validation.ts";

/** Where spans go: a receiver of OTLP over HTTP, such as the OpenTelemetry Collector, Jaeger or Tempo. */
export interface OtlpOptions {
  /** Default: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, or `"http://127.0.0.1:4318"`; without a path, `/v1/traces` is. */
  readonly url?: string;
  /** Added to each request, e.g. `{ authorization: "Bearer …" }`. Default: `OTEL_EXPORTER_OTLP_HEADERS`, or none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Which requests are traced, and where that goes; see docs/observability.md. */
export interface TracingOptions {
  /** Which share of the traces that begin here: 0.01 is one of a hundred. Default 1. */
  readonly sample?: number;
  /**
   * Whose `traceparent` is believed, its word on sampling included: `"trusted"`, the default, those of `trustedProxies`, while the requests of
   * all others begin a trace; or `"any"`.
   */
  readonly parents?: "trusted" | "any";
  /** Where spans go. `false`: nowhere; `traceparent` is started and passed on alone. */
  readonly otlp?: false | string | OtlpOptions;
  /** What the spans call us. Default: `OTEL_SERVICE_NAME`, or the cluster's `name`. */
  readonly service?: string;
}

/** What decides on a request's trace. */
export interface TraceSettings {
  readonly sample: number;
  readonly parents: "trusted" | "any";
}

export interface OtlpSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TracingSettings extends TraceSettings {
  readonly otlp: OtlpSettings | false;
  readonly service: string;
}

const remedy =
  'give the URL of a receiver of OTLP over HTTP, e.g. "http://127.0.0.1:4318"; what is secret goes into headers';

const url = v.pipe(
  v.string(remedy),
  v.check((text) => {
    const parsed = URL.parse(text);
    const isWeb = parsed?.protocol === "http:" || parsed?.protocol === "https:";
    return isWeb && parsed?.username === "" && parsed.password === "";
  }, remedy),
);

const headersRemedy = 'give an object of header fields, e.g. { authorization: "Bearer …" }';

const otlp = options({
  url: option(url, undefined, "of the receiver, e.g. `http://127.0.0.1:4318`; without a path, `/v1/traces` is", {
    otherwise: "`OTEL_EXPORTER_OTLP_ENDPOINT`, or this machine's port 4318",
    flag: {
      name: "--traces <url>",
      group: "Output",
      help: "spans of requests go to this receiver of OTLP over HTTP",
      fallback: "none are made",
    },
  }),
  headers: option(
    v.record(
      v.pipe(v.string(headersRemedy), v.regex(/^[!#$%&'*+.^_`|~\w-]{1,128}$/, headersRemedy)),
      v.pipe(v.string(headersRemedy), v.regex(/^[\t\x20-\x7e]{0,4096}$/, headersRemedy)),
      headersRemedy,
    ),
    undefined,
    "added to each request to it",
    { otherwise: "`OTEL_EXPORTER_OTLP_HEADERS`, or none" },
  ),
} satisfies EntriesOf<OtlpOptions>);

const anyOtlp = withEntries(
  v.lazy((input) => {
    if (typeof input !== "string") return offOr(otlp) as never;
    return v.pipe(
      url,
      v.transform((text) => ({ url: text })),
    ) as never;
  }),
  otlp,
) as unknown as v.GenericSchema<false | string | OtlpOptions, false | OtlpOptions>;

const given = options({
  sample: option(share(), 1, "which share of the traces that begin here; 0.01 is one of a hundred", {
    flag: { name: "--trace-sample <share>", group: "Output", help: "which share of the requests are traced" },
  }),
  parents: option(
    oneOf(["trusted", "any"]),
    "trusted",
    'whose `traceparent` is believed: `"trusted"`, those of `trustedProxies`, or `"any"`',
  ),
  otlp: option(anyOtlp, {}, "where spans go; `false`: nowhere", { otherwise: "see below" }),
  service: option(
    v.pipe(v.string("give a name"), v.minLength(1, "give a name"), v.maxLength(255, "give 255 characters at most")),
    undefined,
    "what the spans call us",
    { otherwise: "`OTEL_SERVICE_NAME`, or the cluster's `name`" },
  ),
} satisfies EntriesOf<TracingOptions>);

type Parsed = TraceSettings & { readonly otlp: false | OtlpOptions; readonly service?: string };

/** `true` is all defaults. */
export const tracingSchema = defaultsOr<TracingOptions, Parsed>(given);

/** With what the environment says in the words of OpenTelemetry. @throws OptionError for what of that is nothing */
export function tracingSettings(
  parsed: Parsed | false,
  { env, name }: { readonly env: Readonly<Record<string, string | undefined>>; readonly name: string },
): TracingSettings | false {
  if (parsed === false) return false;
  const { sample, parents, otlp, service = env["OTEL_SERVICE_NAME"] || name } = parsed;
  return { sample, parents, service, otlp: otlp === false ? false : otlpSettings(otlp, env) };
}

function otlpSettings(
  { url: given, headers }: OtlpOptions,
  env: Readonly<Record<string, string | undefined>>,
): OtlpSettings {
  return { url: receiver(given, env), headers: headers ?? headersIn(env["OTEL_EXPORTER_OTLP_HEADERS"]) };
}

function receiver(given: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  if (given !== undefined) return withPath(given);
  const whole = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
  if (whole) return checked("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole);
  const base = env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  if (!base) return "http://127.0.0.1:4318/v1/traces";
  return `${checked("OTEL_EXPORTER_OTLP_ENDPOINT", base).replace(/\/$/, "")}/v1/traces`;
}

function withPath(given: string): string {
  const parsed = new URL(given);
  if (parsed.pathname === "/") parsed.pathname = "/v1/traces";
  return parsed.href;
}

function checked(variable: string, text: string): string {
  if (v.is(url, text)) return text;
  throw new OptionError(`env.${variable}`, text, remedy);
}

/** `name=value,name=value`, as OpenTelemetry writes it. What is no field is left out there, too. */
function headersIn(text = ""): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair) => pair.split("="));
  const named = pairs.flatMap(([name = "", ...value]) =>
    /^[!#$%&'*+.^_`|~\w-]+$/.test(name.trim()) ? [[name.trim(), decoded(value.join("=").trim())] as const] : [],
  );
  return Object.fromEntries(named);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

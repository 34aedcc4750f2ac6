import * as v from "valibot";
import type { OutputLine } from "../model/output-line.ts";
import { type AccessLogOptions, type AccessLogSettings, accessLogSchema } from "./access-log-options.ts";
import { type AdminOption, adminSchema } from "./admin-options.ts";
import { type AlertOptions, alertSchema } from "./alert-options.ts";
import { type LogOption, logSchema } from "./log-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { type TracingOptions, tracingSchema } from "./tracing-options.ts";
import { offOr, yesOrNo } from "./validation.ts";

/** What people and other programs see of a cluster, and how they steer it. */
export interface OperatorOptions {
  /**
   * `"inherit"`, the default: the instances write where the primary does. A function gets each line that they write, from
   * the first one on; the last of them are then kept for `lb logs`. Under `lb start` they are printed with the instance's
   * number in front.
   */
  readonly output?: "inherit" | ((line: OutputLine) => void);
  /**
   * What becomes of the cluster (crashes and what follows them, reloads, refused connections, its own end) is written to
   * standard error by the primary, one line an event: `"text"`, the default, for people, `"json"` for machines, or both
   * with `{ format, timestamps }`. A function gets the entries instead; `false`: nothing is written.
   */
  readonly log?: LogOption;
  /**
   * A line for each request: the path of a file, `"stdout"`, or `{ format, to, sample, redact, fields }`. Default false: none is written.
   */
  readonly accessLog?: false | string | AccessLogOptions;
  /**
   * Spans of requests, as OpenTelemetry has them, for a receiver of OTLP: `true`, or `{ sample, parents, otlp, service }`. See
   * docs/observability.md. Default false: what clients say of traces (`traceparent`, `tracestate`) is passed on unchanged.
   */
  readonly tracing?: boolean | TracingOptions;
  /** Who is told when something is wrong: by webhooks, Slack, mail or a function; see {@link AlertOptions}. Default: nobody. */
  readonly alerts?: AlertOptions;
  /** Opens a private Unix socket by which the `lb` command finds this cluster. Default true. */
  readonly control?: boolean;
  /**
   * Where metrics and all that is known of the cluster can be seen, over HTTP: at a port of loopback (`true`, or the port), or as
   * `{ port, host, path, auth, allowedHosts, actions }` says. See docs/observability.md. Default false; true under `lb start`.
   */
  readonly admin?: AdminOption;
  /** SIGTERM and SIGINT drain and end the primary; a second one is immediate. Default true. */
  readonly signals?: boolean;
}

/** The options of {@link OperatorOptions}, to be spread into those of a cluster. */
export const operatorEntries = {
  output: option(
    v.union(
      [v.literal("inherit"), v.custom<(line: OutputLine) => void>((value) => typeof value === "function")],
      'give "inherit" or a function that takes the lines',
    ),
    "inherit",
    "a function gets each line that the instances write, and the last are kept for `lb logs`",
  ),
  log: option(
    logSchema,
    "text",
    'what becomes of the cluster, on standard error: `"text"`, `"json"`, `{ format, timestamps }`, a function, or `false`',
  ),
  accessLog: option(
    offOr(accessLogSchema) as unknown as v.GenericSchema<false | string | AccessLogOptions, false | AccessLogSettings>,
    false,
    'a line for each request: a file, `"stdout"`, or the parts below; see [observability.md](observability.md)',
  ),
  tracing: option(
    tracingSchema,
    false,
    "spans of requests, for a receiver of OTLP: `true`, or the parts below; see [observability.md](observability.md)",
  ),
  alerts: option(alertSchema, undefined, "who is told when something is wrong, and of what: see below", {
    otherwise: "nobody",
  }),
  control: option(yesOrNo(), true, "a private Unix socket by which the [`lb` command](cli.md) finds this cluster", {
    flag: { name: "--no-control", group: "Output", help: "the other commands do not find this cluster" },
  }),
  admin: option(
    adminSchema,
    false,
    "where metrics and the rest can be seen: `true`, a port, or options; see [observability.md](observability.md)",
    {
      underStart: true,
      flag: {
        name: "--admin [port]",
        group: "Output",
        help: "metrics and the rest, on loopback: a port, or off (default: 9464, or the next of ten that is free)",
        joins: true,
      },
    },
  ),
  signals: option(
    yesOrNo(),
    true,
    "SIGTERM and SIGINT drain, a second one is immediate; SIGHUP reloads, SIGUSR2 opens the access log anew",
  ),
} satisfies EntriesOf<OperatorOptions>;

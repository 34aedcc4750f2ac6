import type { AdminAction } from "../events/admin-action.ts";
import type { BackendLookupEvent, ClusterEventMap, RequestsRefusedEvent } from "../events/cluster-event-map.ts";
import type { EjectionCause, HealthState } from "../health/state.ts";
import type { LbError } from "../model/errors.ts";
import type { ExitEvent } from "../supervisor/events.ts";
import { alertText } from "./alert-text.ts";
import type { LogEntry } from "./log-entry.ts";
import { printable, shortened } from "./printable.ts";
import { counted, listed, processEnd, span, unended } from "./words.ts";

/** What is said of an event; undefined: nothing. */
export type Said = Omit<LogEntry, "event"> | undefined;

const maxMessageLength = 2_000;
const maxStackLines = 30;
const maxArgumentsLength = 500;

/** Each event in words, by itself. What takes more than one event to say is in `cluster-log.ts`. */
export const eventEntries = {
  exit: exited,
  "start-failed": ({ instance, error }) =>
    about(instance, "error", unended(error.message), { code: error.code }, stackOf(error.cause)),
  "start-hint": ({ instance, why }) => about(instance, "warn", `instance ${instance} is not ready yet: ${why}`),
  "crash-loop": ({ instance, deaths, retryInMs }) =>
    about(
      instance,
      "error",
      `instance ${instance} ended ${deaths} times in a row; next attempt in ${span(retryInMs)}`,
      {
        deaths,
        retryInMs,
      },
    ),
  health: ({ instance, to }) => {
    const said = health(`instance ${instance}`, to);
    return said && about(instance, said.level, said.message, said.fields);
  },
  "backend-health": ({ backend, endpoint, to }) => {
    const said = health(`${endpoint} of the backend ${backend}`, to);
    return said && { ...said, fields: { ...said.fields, backend, endpoint } };
  },
  "backend-lookup": (event) => lookup(event),
  "backend-untrusted": ({ backend, endpoint, error, refused }) =>
    general("error", `${endpoint} of the backend ${backend} is not believed and gets no requests: ${error.message}`, {
      backend,
      endpoint,
      code: error.code,
      refused,
    }),
  "backend-certificates": ({ backend, error }) =>
    error === undefined
      ? general("info", `certificates of the backend ${backend} renewed`, { backend })
      : general(
          "error",
          `certificates of the backend ${backend} cannot be renewed, the old ones serve on: ${unended(error.message)}`,
          {
            backend,
            code: error.code,
          },
        ),
  unresponsive: ({ instance, silentMs }) =>
    about(
      instance,
      "warn",
      `instance ${instance} has been silent for ${span(silentMs)} (blocked, stopped or starved) and gets no new requests`,
      { silentMs },
    ),
  responsive: ({ instance }) => about(instance, "info", `instance ${instance} answers again`),
  "memory-exceeded": ({ backend, instance, rssBytes }) => {
    const megabytes = Math.round(rssBytes / 1_048_576);
    const what = `instance ${instance} has ${megabytes} MB of memory (maxMemoryMb) and is replaced, its successor first`;
    return inBackend(backend, about(instance, "warn", what, { rssBytes }));
  },
  "backend-program": ({ backend, instance, event }) => inBackend(backend, programSaid(instance, event)),
  "port-exposed": ({ backend, instance, place }) => {
    const what = `listens on all addresses (${place}), so that other machines may reach it past lb`;
    const remedy = "have it listen on {host}, or where the variable HOST says";
    return inBackend(backend, about(instance, "warn", `instance ${instance} ${what}: ${remedy}`, { place }));
  },
  "hub-overflow": ({ backend, instance, queuedBytes }) => {
    const what = `did not read ${queuedBytes} bytes from other instances, and has to connect to them anew`;
    return inBackend(backend, about(instance, "warn", `instance ${instance} ${what}`, { queuedBytes }));
  },
  "agent-fault": ({ instance, where, message, stack, untold }) => {
    const more = untold === 0 ? "" : ` (and ${untold} more)`;
    const what = `lb itself failed in instance ${instance}, at ${where}${more}: ${unended(message)}; the app goes on, please report it`;
    return about(instance, "error", what, { where, untold }, stackLines(stack));
  },
  "messages-dropped": ({ instance, dropped }) => {
    const what = `sent ${counted(dropped, "message")} to lb that ${dropped === 1 ? "is" : "are"} none: another version of lb, or the app itself`;
    return about(instance, "warn", `instance ${instance} ${what}`, { dropped });
  },
  "options-applied": ({ changes }) => {
    const each = changes.map(({ option, from, to }) => `${option} ${from ?? "(none)"} -> ${to ?? "(none)"}`);
    const what = `other options are in force: ${listed(each.slice(0, 20))}${each.length > 20 ? " …" : ""}`;
    return general("info", what, { options: changes.map(({ option }) => option).join(" ") });
  },
  "connections-denied": ({ denied }) =>
    general("info", `closed ${counted(denied, "connection")} of addresses that are kept out (lb deny shows them)`, {
      denied,
    }),
  "requests-limited": ({ route, dryRun, limited }) => {
    const whose = route === undefined ? "" : ` of the route ${route}`;
    const what = dryRun ? "would have limited" : "limited";
    return general("warn", `${what} ${counted(limited, "request")} (rateLimit${whose})`, {
      ...(route !== undefined && { route }),
      dryRun,
      limited,
    });
  },
  "request-quarantined": ({ method, url, deaths, forMs }) => {
    const what = `${method} ${url} ended ${counted(deaths, "instance")}: quarantined for ${span(forMs)}`;
    return general("error", what, { method, url, deaths, forMs });
  },
  "rate-limit-key-failed": ({ error, failed }) =>
    general("warn", `${counted(failed, "request")} not limited: ${unended(error.message)}`, { failed }),
  "access-log-dropped": ({ dropped, error }) => {
    const why = error === undefined ? "" : `: ${unended(error.message)}`;
    return general("warn", `${counted(dropped, "line")} of the access log lost${why}`, { dropped });
  },
  "spans-dropped": ({ dropped, error }) => {
    const why = error === undefined ? "" : `: ${unended(error.message)}`;
    return general("warn", `${counted(dropped, "span")} lost (tracing.otlp)${why}`, { dropped });
  },
  "floods-stopped": ({ stopped }) =>
    general(
      "warn",
      `ended ${counted(stopped, "connection")} of HTTP/2 for what was done on ${stopped === 1 ? "it" : "them"} ` +
        "(http2.maxResetsPerSecond, maxControlFramesPerSecond)",
      { stopped },
    ),
  "handshakes-refused": ({ refused }) =>
    general(
      "warn",
      `closed ${counted(refused, "connection")}: too many handshakes are under way (https.maxHandshakes)`,
      {
        refused,
      },
    ),
  "certificates-renewed": ({ certificates }) => {
    const each = certificates.map(({ names, expiresAt }) => `${listed(names)} until ${expiresAt.slice(0, 10)}`);
    return general("info", `certificates renewed: ${each.join("; ")}`);
  },
  "certificates-failed": ({ code, message }) =>
    general("error", `certificates cannot be renewed, the old ones serve on: ${unended(message)}`, { code }),
  "certificate-ordered": ({ domains, directory, first }) => {
    const meanwhile = first ? "; until it is there, handshakes for them are refused" : "";
    return general("info", `asking ${new URL(directory).host} for a certificate for ${listed(domains)}${meanwhile}`);
  },
  "certificate-order-failed": ({ first, error: { code, message }, retryAt }) => {
    const meanwhile = first ? "handshakes are refused" : "what there is serves on";
    const what = `no certificate came, ${meanwhile}: ${unended(message)}; next attempt at ${retryAt}`;
    return general("error", what, { code, retryAt });
  },
  "link-broken": ({ backend, instance, error }) => inBackend(backend, linkBroken(instance, error)),
  "affinity-key-failed": (error) => general("warn", `the affinity's key function failed: ${unended(error.message)}`),
  "cannot-move": ({ detail }) =>
    general("warn", `connections cannot move between instances with this Node.js: ${unended(detail)}`),
  "admin-failed": ({ message }) => general("warn", `there is no admin listener: ${unended(message)}`),
  "admin-action": (action) => adminAction(action),
  "control-failed": ({ message }) => general("warn", `the lb command will not find this cluster: ${unended(message)}`),
  "control-renamed": ({ from, to }) =>
    general("info", `another cluster is called ${from}: to the lb command this one is ${to}`, { name: to }),
  "guard-failed": ({ message }) =>
    general("warn", `a blocked instance may outlive this process if that is killed: ${unended(message)}`),
  "connections-refused": ({ limit, refused }) => {
    const what = `refused ${counted(refused, "connection")}: ${limit} are open, which is the most (limits.maxConnections)`;
    return general("warn", what, { refused, limit });
  },
  "requests-refused": (event) =>
    general("warn", `refused ${counted(event.refused, "request")}: ${whyRefused(event)}`, { ...event }),
  alert: (alert) => {
    const { id, rule, state, severity, subject, durationMs = null } = alert;
    const fields = { id, rule, state, severity, subject, durationMs };
    return general(state === "firing" ? "warn" : "info", `alert: ${alertText(alert)}`, fields);
  },
  "alert-failed": ({ target, error, retryInMs, lost }) => {
    const next = retryInMs === undefined ? `${counted(lost, "message")} given up` : `again in ${span(retryInMs)}`;
    return general("warn", `an alert did not get to ${target}: ${unended(error)}; ${next}`, { target, lost });
  },
  "accept-failed": ({ message }) => general("error", `connections cannot be accepted: ${unended(message)}`),
  autoscale: ({ backend, from, to, load, target, error }) => {
    const why = `${target.metric} is ${load.toFixed(2)}, to be ${target.value}`;
    const fields = { from, to, load };
    if (error === undefined)
      return inBackend(backend, general("info", `scaled from ${from} to ${counted(to, "instance")}: ${why}`, fields));
    const reason = unended(error.message);
    const what = `could not scale from ${from} to ${counted(to, "instance")} (${why}): ${reason}`;
    return inBackend(backend, general("error", what, fields));
  },
  upgrade: (event) => {
    switch (event.step) {
      case "started":
        return general("info", "upgrade: another primary starts");
      case "finished":
        return general("info", `upgrade: done, process ${event.pid} has taken over`, { pid: event.pid });
      case "failed": {
        const { code, message } = event.error;
        return general("error", `upgrade: ${message}`, { code });
      }
    }
  },
  reload: ({ backend, ...progress }) => inBackend(backend, reloadSaid(progress)),
} satisfies { readonly [Name in keyof ClusterEventMap]?: (argument: ClusterEventMap[Name]) => Said };

/** Who wanted what, from where, and what became of it. */
function adminAction({ action, arguments: given, by, address, outcome, why }: AdminAction): Said {
  const [told, who] = [shortened(JSON.stringify(given), maxArgumentsLength), printable(`${by} (${address})`)];
  const what = `${action ?? "an action"}${told === "{}" ? "" : ` ${printable(told)}`}`;
  const reason = why === undefined ? "" : `: ${unended(printable(shortened(why, maxMessageLength)))}`;
  const fields = { action, arguments: told, by, address, outcome };
  return general(outcome === "done" ? "info" : "warn", `admin: ${what} by ${who} ${outcome}${reason}`, fields);
}

function reloadSaid({ step, instance, done, total, error }: ClusterEventMap["reload"]): Said {
  switch (step) {
    case "started":
      return general("info", `reload: ${counted(total, "instance")} to replace`, { total });
    case "canary":
      return about(instance!, "info", `reload: instance ${instance} is tried out with its share of the requests`);
    case "replaced":
      return about(instance!, "info", `reload: instance ${instance} is replaced (${done} of ${total})`, {
        done,
        total,
      });
    case "rolled-back": {
      const stack = error?.cause instanceof Error ? stackOf(error.cause.cause) : undefined;
      return general("error", error?.message ?? "the reload failed", { code: error?.code ?? "LB_RELOAD" }, stack);
    }
    case "finished":
      return general("info", `reload: done, ${counted(done, "instance")} replaced`, { done });
    case "starting":
    case "routed":
    case "watched":
      return undefined;
  }
}

function programSaid(instance: number, event: ClusterEventMap["backend-program"]["event"]): Said {
  switch (event.kind) {
    case "ready":
      return about(instance, "info", `instance ${instance} is ready (pid ${event.pid})`, { pid: event.pid ?? null });
    case "exit":
      return exited(event);
    case "broken":
      return linkBroken(instance, event.error);
    case "message":
      return undefined;
    case "start-failed":
    case "start-hint":
    case "crash-loop":
    case "unresponsive":
    case "responsive":
    case "agent-fault":
      return (eventEntries[event.kind] as (argument: typeof event) => Said)(event);
  }
}

function linkBroken(instance: number, { message, code }: LbError): Said {
  return about(instance, "error", `instance ${instance} broke the protocol and is replaced: ${unended(message)}`, {
    code,
  });
}

/** One of a backend's instances is meant; undefined: the app's. */
function inBackend(backend: string | undefined, said: Said): Said {
  if (backend === undefined || said === undefined) return said;
  return { ...said, message: `${backend}: ${said.message}`, fields: { ...said.fields, backend } };
}

/** What the end of a process means, and what comes next; `why` it was killed, if its own primary did that. */
function exited(exit: ExitEvent, why?: string): Said {
  const { instance, pid, reason, restartInMs } = exit;
  const next = whatFollows(restartInMs);
  const fields = { reason, pid: pid ?? null, exitCode: exit.exitCode, signal: exit.signal };
  switch (reason) {
    case "crashed": {
      const how = why === undefined ? processEnd(exit) : `was killed, since ${why}`;
      return about(instance, "error", `instance ${instance} (pid ${pid ?? "none"}) ${how}${next}`, fields);
    }
    case "start-failed":
    case "start-timeout":
      // Why it failed was said before; what follows may still be news.
      return restartInMs === undefined
        ? undefined
        : about(instance, "warn", `instance ${instance} could not start${next}`, fields);
    case "retired":
      return about(
        instance,
        "info",
        `instance ${instance} was ended from outside, after a drain; a new one starts`,
        fields,
      );
    case "done":
      return about(instance, "info", `instance ${instance} has done its work (exit code ${exit.exitCode})`, fields);
    case "scaled-down":
      return about(instance, "info", `instance ${instance} has ended, since fewer are wanted`, fields);
    case "replaced":
    case "rolled-back":
    case "stopped":
      return undefined;
  }
}

function whatFollows(restartInMs: number | undefined): string {
  if (restartInMs === undefined) return "";
  return restartInMs === 0 ? "; a new one starts at once" : `; a new one starts in ${span(restartInMs)}`;
}

const causes: Readonly<Record<EjectionCause, string>> = {
  fails: "requests to it failed",
  "consecutive-failures": "requests to it failed one after the other",
  "success-rate": "it fails far more often than the others",
};

function lookup(event: BackendLookupEvent): Said {
  const { backend } = event;
  const of = `the backend ${backend}`;
  switch (event.kind) {
    case "lookup-failed": {
      const left = event.endpoints === 0 ? "it has no endpoints" : `those ${event.endpoints} known before stay`;
      return general("warn", `${of}: ${event.what} tells nothing (${event.error.message}); ${left}`, { backend });
    }
    case "lookup-recovered":
      return general("info", `${of}: ${event.what} tells its endpoints again`, { backend });
    case "too-many-endpoints":
      return general("warn", `${of} has ${event.found} endpoints, of which ${event.used} are used`, { backend });
    case "own-listener":
      return general(
        "error",
        `${of}: ${event.url} is a listener of this cluster, and not used: requests would go in circles`,
        {
          backend,
        },
      );
  }
}

function health(whose: string, to: HealthState): Said {
  switch (to.kind) {
    case "ejected": {
      const forMs = Math.round(to.until - to.since);
      const what = `${whose} gets no requests for ${span(forMs)}: ${causes[to.cause]}`;
      return general("warn", what, { cause: to.cause, forMs });
    }
    case "probe-down":
      return general("warn", `${whose} gets no requests: its health checks fail`);
    case "healthy":
      return general("info", `${whose} gets requests again`);
    case "trial":
    case "unprobed":
      return undefined;
  }
}

export function general(
  level: LogEntry["level"],
  message: string,
  fields?: LogEntry["fields"],
  stack?: readonly string[],
): NonNullable<Said> {
  return {
    level,
    message: printable(shortened(message, maxMessageLength)),
    ...(fields === undefined ? {} : { fields }),
    ...(stack === undefined ? {} : { stack }),
  };
}

export function about(
  instance: number,
  level: LogEntry["level"],
  message: string,
  fields?: LogEntry["fields"],
  stack?: readonly string[],
): NonNullable<Said> {
  return { ...general(level, message, fields, stack), instance };
}

/** The program's own stack. */
function stackOf(cause: unknown): readonly string[] | undefined {
  return cause instanceof Error ? stackLines(cause.stack) : undefined;
}

function stackLines(stack: string | undefined): readonly string[] | undefined {
  return stack
    ?.split("\n")
    .slice(0, maxStackLines)
    .map((line) => printable(shortened(line, 500)));
}

/** For those that ended: `instances 1, 3 and 4`. */
export function instancesNamed(names: readonly string[]): string {
  return names.length === 1 ? `instance ${names[0]}` : `instances ${listed(names)}`;
}

function whyRefused({ reason, limit, route, backend }: RequestsRefusedEvent): string {
  const whose =
    route === undefined ? (backend === undefined ? "" : ` of backend ${backend}`) : ` of the route ${route}`;
  if (limit === undefined) {
    if (reason === "queue-full")
      return backend === undefined ? "too many wait for an instance" : `too many wait${whose}`;
    return `no ${backend === undefined ? "instance" : `endpoint${whose}`} could take them in time`;
  }
  const most = `maxRequestsInFlight${whose}`;
  if (reason === "overload") return `overload, in which ${limit} at a time are answered in good time (${most})`;
  return `${limit} are in flight, which is the most (${most})`;
}

import type { StartNotice } from "../ipc/messages.ts";

/**
 * What a worker has not done yet: called `cluster()`, listened, had its app say that it is ready (`waitReady`), or answered a
 * probe, of which it is known what came of the last.
 */
export type MissingStep =
  | "call"
  | "server"
  | "ready-message"
  /** The same of one that serves nobody: it has to run for a while. */
  | "worker-server"
  | "worker-ready-message"
  | { readonly probe: string };

/** Why an instance is not ready, as far as it is known: the middle of a sentence. */
export function whyNotReady(missing: MissingStep, notices: readonly StartNotice[]): string {
  if (typeof missing === "object") return `it listens, but ${missing.probe}`;
  switch (missing) {
    case "call":
      return "its program did not call cluster()";
    case "ready-message":
      return 'it listens, and with the option "waitReady" its app has to call process.send("ready") too';
    case "worker-ready-message":
      return 'it runs, and with the option "waitReady" it has to call process.send("ready") too';
    case "worker-server":
      return 'it has not run for as long as the option "minUptimeMs" says';
    case "server":
      return `its app does not listen${known(notices)}`;
  }
}

function known(notices: readonly StartNotice[]): string {
  const listens = notices.flatMap((notice) => (notice.kind === "listens" ? [described(notice)] : []));
  const runs = notices.flatMap((notice) => (notice.kind === "runs" ? [notice.command] : []));
  const gaveWay = notices.some(
    (one) => one.kind === "listens" && one.at === "port 0" && one.protocol.startsWith("http"),
  );
  const remedy = gaveWay
    ? "which takes any port that is free: programs do so that find their own taken, as the cluster has it, " +
      "and have to be told another one (lb start <entry> -- --port 3999)"
    : "and the app has to be an HTTP server";
  const facts = [
    ...(listens.length === 0 ? [] : [`what listens is ${listens.join(" and ")}, ${remedy}`]),
    ...(runs.length === 0 ? [] : [`it started ${runs.join(" and ")}: if that is the app, start it by itself`]),
  ];
  return facts.length === 0 ? ": it has opened no port, and may wait for something" : `: ${facts.join("; ")}`;
}

function described({ protocol, at }: Extract<StartNotice, { kind: "listens" }>): string {
  return `${names[protocol] ?? "a server"} on ${at}`;
}

const names: Readonly<Record<string, string>> = {
  http: "an HTTP server",
  https: "an HTTPS server",
  "http2-tls": "an HTTPS server",
  http2: "an HTTP/2 server",
  other: "a TCP server",
};

/** `500 ms`, `30 s`. */
export function span(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Number((ms / 1_000).toFixed(1))} s`;
}

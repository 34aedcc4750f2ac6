import { expect, test } from "vitest";
import type { StartNotice } from "../ipc/messages.ts";
import { type MissingStep, whyNotReady } from "./why-not-ready.ts";

const http2: StartNotice = { kind: "listens", protocol: "http2", at: "port 8443" };
const tcp: StartNotice = { kind: "listens", protocol: "other", at: "port 10199" };
const child: StartNotice = { kind: "runs", command: "node server.js" };

test.each<readonly [MissingStep, readonly StartNotice[], string]>([
  ["call", [], "its program did not call cluster()"],
  ["server", [], "its app does not listen: it has opened no port, and may wait for something"],
  [
    "server",
    [http2, tcp],
    "its app does not listen: what listens is an HTTP/2 server on port 8443 and a TCP server on port 10199, and the app has to be an HTTP server",
  ],
  [
    "server",
    [{ kind: "listens", protocol: "http", at: "port 0" }],
    "its app does not listen: what listens is an HTTP server on port 0, which takes any port that is free: programs do so that find their own taken, as the cluster has it, and have to be told another one (lb start <entry> -- --port 3999)",
  ],
  ["server", [child], "its app does not listen: it started node server.js: if that is the app, start it by itself"],
  [{ probe: "GET /health: status 503" }, [tcp], "it listens, but GET /health: status 503"],
  ["ready-message", [tcp], 'it listens, and with the option "waitReady" its app has to call process.send("ready") too'],
])("%s, %j", (missing, notices, why) => {
  expect(whyNotReady(missing, notices)).toBe(why);
});

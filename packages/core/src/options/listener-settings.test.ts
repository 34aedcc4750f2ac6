import { describe, expect, test } from "vitest";
import { systemRandom } from "../model/random.ts";
import { parseClusterOptions } from "./cluster-settings.ts";
import { type InheritedSockets, takeInheritedSockets } from "./inherited-sockets.ts";
import type { ListenerSettings } from "./listener-settings.ts";

const https = { certificates: [{ cert: "c.pem", key: "k.pem" }] };

function parsed(options: object, inherited?: InheritedSockets, env: Record<string, string> = {}) {
  const surroundings = {
    ...{ env, parallelism: 2, random: systemRandom },
    ...(inherited && { inherited }),
  };
  return parseClusterOptions(options, surroundings).front.listeners.map(shown);
}

/** `+`: with TLS, `!`: behind proxies that say so. */
function shown({ place, encrypted, proxied }: ListenerSettings): string {
  const marks = `${encrypted ? "+" : ""}${proxied ? "!" : ""}`;
  switch (place.kind) {
    case "tcp":
      return `${place.host} ${place.port}${place.ipv6Only ? " ipv6" : ""}${marks}`;
    case "unix":
      return `${place.path} ${place.mode.toString(8)}${marks}`;
    case "fd":
      return `${place.fd}${marks}`;
  }
}

const ours = (...names: string[]): InheritedSockets => ({
  kind: "ours",
  sockets: names.map((name, at) => ({ fd: 3 + at, name })),
});

describe("the public listeners", () => {
  test.each<[string, object, string[]]>([
    ["one port", {}, ["127.0.0.1 3000"]],
    ["and one with TLS", { port: 80, host: "::", https }, [":: 80", ":: 443+"]],
    [
      "a list in place of the port",
      { listen: [{ port: 1 }, { port: 2, host: "::", ipv6Only: true }] },
      ["127.0.0.1 1", ":: 2 ipv6"],
    ],
    ["beside one that was given", { port: 80, listen: [{ path: "/a.sock" }] }, ["127.0.0.1 80", "/a.sock 660"]],
    ["with TLS where one is marked", { https, listen: [{ port: 1 }, { fd: 3, https: true }] }, ["127.0.0.1 1", "3+"]],
    [
      "beside https.port if it was given",
      { https: { ...https, port: 8443 }, listen: [{ fd: 3, https: true }] },
      ["127.0.0.1 8443+", "3+"],
    ],
    [
      "beside https.port where none is marked",
      { https, listen: [{ path: "/a", mode: 0o600 }] },
      ["127.0.0.1 443+", "/a 600"],
    ],
    [
      "the PROXY protocol on all, or on one, and not on another",
      {
        proxyProtocol: true,
        trustedProxies: ["private"],
        listen: [{ port: 1 }, { port: 2, proxyProtocol: false }],
      },
      ["127.0.0.1 1!", "127.0.0.1 2"],
    ],
    [
      "the PROXY protocol at a Unix socket, whose peers are trusted",
      { listen: [{ path: "/a", mode: "666", proxyProtocol: true }] },
      ["/a 666!"],
    ],
  ])("%s", (_name, options, expected) => {
    expect(parsed(options)).toEqual(expected);
  });

  test("PORT is for a port that nobody has asked for", () => {
    expect(parsed({}, undefined, { PORT: "99" })).toEqual(["127.0.0.1 99"]);
    expect(parsed({ listen: [{ fd: 3 }] }, undefined, { PORT: "99" })).toEqual(["3"]);
  });

  test("systemd's sockets stand in for the port, by themselves or by name", () => {
    expect(parsed({}, ours("a", "b"))).toEqual(["3", "4"]);
    expect(parsed({ port: 80 }, ours("a"))).toEqual(["127.0.0.1 80", "3"]);
    expect(parsed({ https, listen: [{ fd: "b", https: true }, { fd: "a" }] }, ours("a", "b"))).toEqual(["4+", "3"]);
  });

  test.each<[string, object, RegExp, InheritedSockets?]>([
    ["nothing", { listen: [] }, /"listen" is an array: give one listener at least/],
    ["no place", { listen: [{ host: "::" }] }, /"listen\[0\]" is an object: give one of port, path and fd/],
    ["two places", { listen: [{ port: 1 }, { port: 1, fd: 3 }] }, /"listen\[1\]".*give one of port, path and fd/],
    [
      "a misspelt name",
      { listen: [{ portt: 1 }] },
      /"listen\[0\]\.portt" is a number: there is no such option; did you mean "port"/,
    ],
    [
      "a decimal mode",
      { listen: [{ path: "/a", mode: 660 }] },
      /"listen\[0\]\.mode" is 660: give permissions in octal/,
    ],
    ["a path that is too long", { listen: [{ path: `/${"x".repeat(107)}` }] }, /"listen\[0\]\.path".*takes 107 bytes/],
    ["standard input", { listen: [{ fd: 0 }] }, /"listen\[0\]\.fd" is 0: give the number of a descriptor, from 3 on/],
    [
      "TLS without certificates",
      { listen: [{ port: 1, https: true }] },
      /"listen\[0\]\.https".*give the option "https", too/,
    ],
    [
      "the PROXY protocol of nobody",
      { listen: [{ port: 1, proxyProtocol: true }] },
      /"listen\[0\]\.proxyProtocol".*trustedProxies/,
    ],
    [
      "a name without systemd",
      { listen: [{ fd: "web" }] },
      /"listen\[0\]\.fd" is "web": systemd has handed over no sockets/,
    ],
    ["a name of none", { listen: [{ fd: "web" }] }, /systemd's sockets are called "a", "b"/, ours("a", "b")],
    [
      "somebody else's",
      { listen: [{ fd: "a" }] },
      /for the process 7, not for this one: have ExecStart=/,
      { kind: "others", pid: 7 },
    ],
  ])("%s is refused", (_name, options, message, inherited) => {
    expect(() => parsed(options, inherited)).toThrow(message);
  });
});

describe("what systemd says of sockets", () => {
  test("is taken, and out of the environment", () => {
    const env = { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "http:https", LISTEN_PIDFDID: "9", PATH: "/bin" };
    const sockets = [
      { fd: 3, name: "http" },
      { fd: 4, name: "https" },
    ];
    expect(takeInheritedSockets(env, 7)).toEqual({ kind: "ours", sockets });
    expect(env).toEqual({ PATH: "/bin" });
  });

  test.each<[object, object]>([
    [{}, ours()],
    [{ LISTEN_PID: "7", LISTEN_FDS: "1" }, ours("")],
    [
      { LISTEN_PID: "8", LISTEN_FDS: "1" },
      { kind: "others", pid: 8 },
    ],
    [{ LISTEN_PID: "7", LISTEN_FDS: "-1" }, ours()],
    [{ LISTEN_PID: "x", LISTEN_FDS: "1" }, ours()],
  ])("%j", (env, expected) => {
    expect(takeInheritedSockets({ ...env }, 7)).toEqual(expected);
  });
});

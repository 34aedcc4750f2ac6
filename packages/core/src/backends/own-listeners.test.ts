import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import type { ListenerAddress } from "../model/listener-address.ts";
import { isOwnListener } from "./own-listeners.ts";

const tcp = (host: string, port = 3000) => ({ kind: "tcp", host, port }) as const;
const unix = (path: string) => ({ kind: "unix", path }) as const;

test("BAD-INPUTS 194: an endpoint that is a listener of ours is known, however it is written", () => {
  const outer = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const everywhere: readonly ListenerAddress[] = [tcp("0.0.0.0"), unix("/run/lb.sock"), { kind: "fd", fd: 3 }];
  for (const host of [
    "127.0.0.1",
    "127.0.0.9",
    "localhost",
    "app.localhost",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0.0.0.0",
    "::",
  ]) {
    expect(isOwnListener(tcp(host), everywhere), host).toBe(true);
    expect(isOwnListener(tcp(host, 3001), everywhere), host).toBe(false);
  }
  for (const { address } of outer) expect(isOwnListener(tcp(address), everywhere), address).toBe(true);
  expect(isOwnListener(tcp("192.0.2.1"), everywhere)).toBe(false);
  expect(isOwnListener(tcp("api.example"), everywhere)).toBe(false);
  expect(isOwnListener(unix("/run/lb.sock"), everywhere)).toBe(true);
  expect(isOwnListener(unix("/run/app.sock"), everywhere)).toBe(false);
});

test("a listener on one address is not one on another of the same machine", () => {
  expect(isOwnListener(tcp("127.0.0.1"), [tcp("127.0.0.2")])).toBe(false);
  expect(isOwnListener(tcp("::ffff:127.0.0.1"), [tcp("127.0.0.1")])).toBe(true);
  expect(isOwnListener(tcp("localhost"), [tcp("127.0.0.1")])).toBe(true);
  expect(isOwnListener(tcp("0.0.0.0"), [tcp("127.0.0.1")])).toBe(true);
});

import { describe, expect, it } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { RawClient } from "../../core/test/support/raw-client.ts";
import type { HeaderFields } from "../src/index.ts";
import { startBackend } from "./support/backend.ts";
import { type CommonRequest, frameworks } from "./support/frameworks.ts";

const later = <Value>(value: Value) => new Promise<Value>((resolve) => setImmediate(resolve, value));

describe.each(frameworks)("$name: functions for headers", ({ startGateway }) => {
  it("take their time: single rules and functions of all fields, of requests and responses", async () => {
    const { url: target, seen } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "X-Old": "1", "Set-Cookie": ["a=1", "b=2"], "Content-Length": "4" }).end("body");
    });
    const single = await startGateway({
      targets: [target],
      headers: {
        request: { Authorization: () => later("Bearer token"), "X-Static": "s", "X-Dropped": () => later(undefined) },
        response: { "X-Old": (value) => later(`was ${value}`), "X-Way": "lb" },
      },
    });
    const one = await httpGet(single.url, { headers: { "X-Dropped": "1" } });
    expect(one).toMatchObject({ status: 200, body: "body", headers: { "x-old": "was 1", "x-way": "lb" } });
    expect(one.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(seen[0]!.headers).toMatchObject({ authorization: "Bearer token", "x-static": "s" });
    expect(seen[0]!.headers).not.toHaveProperty("x-dropped");
    const whole = await startGateway({
      targets: [target],
      headers: {
        request: async (fields: HeaderFields, { url }: CommonRequest) =>
          later({ ...fields, "X-Url": url, cookie: undefined }),
        response: ({ "x-old": _, ...fields }) => ({ ...fields, "X-Many": ["1", "2"] }),
      },
    });
    const other = await httpGet(`${whole.url}/path`, { headers: { Cookie: "a=1" } });
    expect(other).toMatchObject({
      status: 200,
      body: "body",
      headers: { "x-many": "1, 2", "set-cookie": ["a=1", "b=2"] },
    });
    expect(other.headers).not.toHaveProperty("x-old");
    expect(seen[1]!.headers).toMatchObject({ "x-url": "/path", "x-forwarded-for": "127.0.0.1" });
    expect(seen[1]!.headers).not.toHaveProperty("cookie");
  });

  it("what fails in them, or makes no headers, is an error of the app's, and nothing of the answer is sent on", async () => {
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "X-Kept": "1" }).end("body");
    });
    const broken = () => Promise.reject(new Error("broken"));
    for (const rules of [
      { "X-A": broken },
      broken,
      () => "no fields",
      () => ({ "X-A": "a\r\nb" }),
      () => ({ "a b": "" }),
    ]) {
      for (const which of ["request", "response"]) {
        const errors: string[] = [];
        const { url, gateway } = await startGateway({
          targets: [target],
          headers: { [which]: rules },
          onError: ({ code }) => errors.push(code),
        });
        const { status, headers } = await httpGet(url);
        expect([status, errors]).toEqual([500, ["LB_RULE"]]);
        expect(headers).not.toHaveProperty("x-kept");
        await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "the lease ends" });
      }
    }
  });

  it("a client that leaves while one takes its time ends its request, and no lease stays", async () => {
    const { url: target, seen, sockets } = await startBackend("a");
    let waiting = 0;
    let proceed: (fields: HeaderFields) => void = () => {};
    const hook = (fields: HeaderFields) =>
      new Promise<HeaderFields>((resolve) => {
        waiting++;
        proceed = () => resolve(fields);
      });
    for (const which of ["request", "response"]) {
      const { port, gateway, server } = await startGateway({ targets: [target], headers: { [which]: hook } });
      const before = waiting;
      const asked = seen.length;
      const client = await RawClient.connect(port);
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await eventually(() => waiting > before, { what: "the hook to be called" });
      client.destroy();
      const open = () => new Promise<number>((told) => server.getConnections((_, count) => told(count)));
      await eventually(async () => (await open()) === 0, { what: "the client to be seen to have left" });
      await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "no lease" });
      if (which === "response") await eventually(() => sockets.size === 0, { what: "the target's connection ends" });
      proceed({});
      await later(undefined);
      expect(gateway.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
      expect(seen.length - asked).toBe(which === "request" ? 0 : 1);
    }
  });

  it("a target that breaks off while one takes its time is seen to have failed", async () => {
    const { url: target, sockets } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "Content-Length": "100" }).write("half");
    });
    const response = async (fields: HeaderFields) => {
      for (const socket of sockets) socket.destroy();
      await eventually(() => sockets.size === 0, { what: "the target to have closed" });
      return fields;
    };
    const health = { passive: false, outlier: false } as const;
    const { url, gateway } = await startGateway({ targets: [target], headers: { response }, health });
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
    await eventually(() => gateway.status().endpoints[0]!.failures === 1, { what: "the failure to be counted" });
    expect(gateway.status().endpoints[0]!.inFlight).toBe(0);
  });
});

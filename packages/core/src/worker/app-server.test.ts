import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import express from "express";
import fastify from "fastify";
import Koa from "koa";
import { describe, expect, it } from "vitest";
import { type App, appServer } from "./app-server.ts";

const listener = () => {};

describe("app server", () => {
  it("is the server itself when there is one", async () => {
    for (const server of [createServer(), createHttpsServer(), createSecureServer({ allowHTTP1: true })]) {
      expect(await appServer(server)).toEqual({ server });
    }
  });

  it("is made around a request listener, an Express app, a Koa app", async () => {
    const apps: App[] = [listener, express(), new Koa()];
    for (const app of apps) {
      const { server, close } = await appServer(app);
      expect(server.listenerCount("request")).toBe(1);
      expect(server.listening).toBe(false);
      expect(close).toBeUndefined();
    }
  });

  it("is the server that listens where nothing was returned, or its own listener", async () => {
    const app = express();
    const server = createServer(app);
    for (const kind of ["likely", "sure"] as const) {
      expect(await appServer(undefined, { kind, server })).toEqual({ server });
      expect(await appServer(app, { kind, server })).toEqual({ server });
    }
    expect(await appServer(new Koa(), { kind: "sure", server })).toEqual({ server });
  });

  it("is not what seemed to be the app, where another was returned", async () => {
    const listening = { kind: "likely", server: createServer() } as const;
    expect((await appServer(listener, listening)).server).not.toBe(listening.server);
    expect((await appServer(new Koa(), listening)).server).not.toBe(listening.server);
  });

  it("is refused where another than the one returned listens on the app's port", async () => {
    const listening = { kind: "sure", server: createServer() } as const;
    for (const app of [listener, createServer(), fastify()]) {
      await expect(appServer(app, listening)).rejects.toMatchObject({ code: "LB_APP_RESULT" });
    }
  });

  it("is a Fastify instance's own, once its plugins have loaded", async () => {
    const app = fastify();
    let loaded = false;
    let closed = false;
    app.register(async (instance) => {
      loaded = true;
      instance.addHook("onClose", async () => {
        closed = true;
      });
    });
    const { server, close } = await appServer(app);
    expect(server).toBe(app.server);
    expect(loaded).toBe(true);
    await close?.();
    expect(closed).toBe(true);
  });

  it("passes on why a Fastify plugin did not load", async () => {
    const app = fastify();
    app.register(async () => {
      throw new Error("no database");
    });
    await expect(appServer(app)).rejects.toThrow("no database");
  });

  it.each([
    ["nothing", undefined, "nothing"],
    ["null", null, "null"],
    ["a number", 3000, "number 3000"],
    ["an object", { listen: () => {} }, "an object of type Object"],
    ["an object without prototype", Object.create(null), "an object of type Object"],
    ["an HTTP/2 server", createSecureServer(), "HTTP/2 only"],
  ])("is refused for %s, saying what may be returned", async (_, app, detail) => {
    await expect(appServer(app)).rejects.toMatchObject({
      code: "LB_APP_RESULT",
      message: expect.stringMatching(new RegExp(`${detail}.*http\\.Server.*Fastify`, "s")),
    });
  });
});

import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { takePort } from "../../../test/support/free-ports.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { ChildInterception } from "./child-interception.ts";

/** Nothing really listens but whoever has the own port: what is asked of Node is told. */
describe("interception of listen in what a program starts", () => {
  let clock: ManualClock;
  let interception: ChildInterception;
  let bound: string[];
  let own: number;
  let clusterWorker: boolean;

  beforeEach(() => {
    clock = new ManualClock();
    bound = [];
    own = 1;
    clusterWorker = false;
    make();
  });

  const make = () => {
    interception = new ChildInterception(
      { appPorts: [3000], host: "127.0.0.1", port: own },
      { clock, isClusterWorker: () => clusterWorker },
    );
  };

  const original = function (this: Server, at: { host: string; port: number }) {
    bound.push(`${at.host}:${at.port}`);
    return this;
  } as unknown as Server["listen"];

  const listen = (server: Server, ...args: unknown[]) => interception.listen(server, args, original);

  it("a port of the app's is the instance's own, and is shown as it was asked for", () => {
    const server = createHttpServer();
    listen(server, 3000, "0.0.0.0");
    expect(bound).toEqual(["127.0.0.1:1"]);
    Object.defineProperty(server, "listening", { value: true });
    expect(server.address()).toEqual({ address: "0.0.0.0", family: "IPv4", port: 3000 });
  });

  it("other ports stay on loopback", () => {
    listen(createHttpServer(), 0);
    listen(createServer(), 9000, "0.0.0.0");
    expect(bound).toEqual(["127.0.0.1:0", "127.0.0.1:9000"]);
  });

  it("the first HTTP server on another port is the app if none comes that is sure", async () => {
    listen(createHttpServer(), 8080);
    listen(createHttpServer(), 9090);
    expect(bound).toEqual(["127.0.0.1:9090"]);
    clock.advance(3_000);
    await expect.poll(() => bound).toEqual(["127.0.0.1:9090", "127.0.0.1:1"]);
  });

  it("and is where it asked to be if one does", () => {
    listen(createHttpServer(), 9090);
    listen(createHttpServer(), 3000);
    clock.advance(3_000);
    expect(bound).toEqual(["127.0.0.1:1", "127.0.0.1:9090"]);
  });

  it("or if the app is elsewhere in the instance", async () => {
    const { port, server } = await takePort();
    own = port;
    make();
    listen(createHttpServer(), 9090);
    clock.advance(3_000);
    await expect.poll(() => bound).toEqual(["127.0.0.1:9090"]);
    server.close();
  });

  it("workers of node:cluster share the own port, and are there to serve", async () => {
    clusterWorker = true;
    const { port, server } = await takePort();
    own = port;
    make();
    listen(createHttpServer(), 8080);
    clock.advance(1_000);
    expect(bound).toEqual([`127.0.0.1:${port}`]);
    server.close();
  });

  it("one that is closed meanwhile listens nowhere", async () => {
    const server = listen(createHttpServer(), 8080);
    await new Promise((resolve) => server.close(resolve));
    clock.advance(3_000);
    expect(clock.pending).toBe(0);
    expect(bound).toEqual([]);
  });
});

// Destinations that have nothing for a request, over memory and by a clock of the test's.
import { expect, test } from "vitest";
import { type memoryContext, memoryProxy } from "../../../test/support/memory-proxy.ts";
import { type RateLimitOptions, rateLimitSchema } from "../../options/rate-limit-options.ts";
import { parseOptions } from "../../options/validation.ts";
import { parsePathPattern } from "../../routing/path-pattern.ts";
import type { Held } from "../held.ts";
import { RequestLimit } from "../request-limit.ts";
import type { Response } from "../responder.ts";
import { type Destination, type Found, type Route, Router } from "./router.ts";

const answer = (body: string): Response => ({ kind: "answer", reason: "respond", status: 200, fields: [], body });
const refused: Response = { kind: "refusal", status: 403, reason: "denied" };

function route(path: string, destination: Destination, others: Partial<Route> = {}): Route {
  const rule = { hosts: undefined, paths: [parsePathPattern(path)!], methods: undefined, headers: [] };
  return { name: path, rule, limit: undefined, limitsItself: false, guards: [], destination, ...others };
}

/** Held back until the test says where they go. */
function looks() {
  const waiting: ((to: Found | "next") => void)[] = [];
  const left: number[] = [];
  const destination = (): Held<Found | "next"> => ({
    kind: "held",
    wait: (released) => {
      const number = waiting.push(released) - 1;
      return () => left.push(number);
    },
  });
  return { destination, waiting, left };
}

function routed(routes: (around: ReturnType<typeof memoryContext>) => readonly Route[]) {
  const proxy = memoryProxy();
  const router = new Router({
    routes: routes(proxy),
    otherwise: proxy.context.way,
    limit: undefined,
    maxBodyBytes: 1_000,
  });
  Object.assign(proxy.context, { router });
  const get = (target: string) => proxy.client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const bodies = () => proxy.client.take().match(/(?<=\r\n\r\n)[a-z ]+/g) ?? [];
  return { ...proxy, get, bodies };
}

function limitOf(clock: ReturnType<typeof memoryContext>["clock"], options: Partial<RateLimitOptions>) {
  const settings = parseOptions(rateLimitSchema, { points: 10, windowMs: 1_000, ...options }, "rateLimit");
  return new RequestLimit({ settings, clock, limited: () => {}, keyFailed: () => {} });
}

test("what has nothing for a request leaves it to the next route that it fits, and at last to the app", () => {
  const { get, bodies, streams } = routed(() => [
    route("/*", () => "next"),
    route("/a/*", () => "next"),
    route("/b", () => answer("of b")),
    route("/a/*", () => answer("of a")),
    route("/a/c", () => answer("never")),
  ]);
  get("/a/c");
  get("/b");
  expect(bodies()).toEqual(["of a", "of b"]);
  get("/c");
  expect(streams[0]!.sent).toMatch(/^GET \/c /);
});

test("what has to be looked for holds its request, and those behind on the connection, until it is known", () => {
  const [first, second] = [looks(), looks()];
  const { get, bodies, streams } = routed(() => [
    route("/*", first.destination),
    route("/a", second.destination),
    route("/a", () => answer("of a")),
  ]);
  get("/a");
  get("/c");
  expect([first.waiting.length, second.waiting.length]).toEqual([1, 0]);
  first.waiting[0]!("next");
  expect([first.waiting.length, second.waiting.length]).toEqual([1, 1]);
  second.waiting[0]!("next");
  expect(bodies()).toEqual(["of a"]);
  expect([first.waiting.length, streams.length]).toEqual([2, 0]);
  first.waiting[1]!("next");
  expect(streams).toHaveLength(1);
});

test("a client that leaves meanwhile gives up what it waits for, wherever that is", () => {
  const [first, second] = [looks(), looks()];
  const { get, client } = routed(() => [route("/*", first.destination), route("/*", second.destination)]);
  get("/a");
  first.waiting[0]!("next");
  client.destroy();
  expect([first.left, second.left]).toEqual([[], [0]]);
});

test("a request is counted once by a limit that it comes by twice, and by each of two", () => {
  const { get, bodies, client } = routed(({ clock }) => {
    const [all, own] = [limitOf(clock, { burst: 1 }), limitOf(clock, { burst: 0 })];
    return [
      route("/*", () => "next", { limit: all }),
      route("/a", () => answer("of a"), { limit: all }),
      route("/b", () => answer("of b"), { limit: own }),
    ];
  });
  get("/a");
  get("/b");
  expect(bodies()).toEqual(["of a", "of b"]);
  get("/b");
  expect(client.take()).toMatch(/^HTTP\/1\.1 429 /);
});

test("a limit of the next route holds back what was held back already", () => {
  const look = looks();
  const { get, bodies, clock } = routed(({ clock: time }) => [
    route("/*", look.destination),
    route("/*", () => answer("found"), { limit: limitOf(time, { burst: 5, delay: true }) }),
  ]);
  get("/a");
  look.waiting[0]!("next");
  expect(bodies()).toEqual(["found"]);
  get("/a");
  look.waiting[1]!("next");
  clock.advance(99);
  expect(bodies()).toEqual([]);
  clock.advance(1);
  expect(bodies()).toEqual(["found"]);
});

test("guards of the next route are asked, and its path is guarded against other spellings of it (BAD-INPUTS 179)", () => {
  const { get, client } = routed(() => [
    route("/*", () => "next"),
    route("/admin/*", () => answer("secret"), { guards: [{ respond: () => refused }] }),
  ]);
  get("/admin/a");
  expect(client.take()).toMatch(/^HTTP\/1\.1 403 /);
  const other = routed(() => [
    route("/*", () => "next"),
    route("/admin/*", () => answer("secret"), { guards: [{ respond: () => refused }] }),
  ]);
  other.get("/x/..%2fadmin/a");
  expect(other.client.take()).toMatch(/^HTTP\/1\.1 400 /);
});

test("a body that is longer than the next route takes is refused there", () => {
  const { client } = routed(({ context }) => [
    route("/*", () => "next"),
    route("/*", () => ({ ...context.way, limits: { ...context.way.limits, maxBodyBytes: 10 } })),
  ]);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  expect(client.take()).toMatch(/^HTTP\/1\.1 413 /);
});

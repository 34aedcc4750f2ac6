import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { UnavailableError } from "../balancer/unavailable-error.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { roundRobin } from "../strategies/index.ts";
import type { CreateBalancerOptions } from "./balancer-options.ts";
import { createBalancer } from "./create-balancer.ts";
import type { UrlBalancerEventOf } from "./url-balancer.ts";

const three = ["http://a:1", "http://b:2", "http://c:3"];

function balance(options: Partial<CreateBalancerOptions> = {}) {
  const clock = new ManualClock();
  const balancer = createBalancer({
    endpoints: three,
    strategy: "round-robin",
    clock,
    random: seededRandom(1),
    ...options,
  });
  onTestFinished(() => balancer.close());
  return { clock, balancer, urls: (times: number) => Array.from({ length: times }, () => balancer.acquire().url) };
}

describe("createBalancer", () => {
  it("leases URLs and counts", () => {
    const { balancer } = balance();
    const lease = balancer.acquire();
    expect([lease.url, lease.endpoint.url]).toEqual(["http://a:1", "http://a:1"]);
    expect(balancer.status()).toEqual({
      strategy: "round-robin",
      waiting: 0,
      retriesLeft: 100,
      panicking: false,
      endpoints: three.map((url, index) => ({
        url,
        weight: 1,
        phase: "serving",
        health: "healthy",
        inFlight: index === 0 ? 1 : 0,
        requests: index === 0 ? 1 : 0,
        failures: 0,
        errors: {},
        unanswered: index === 0 ? 1 : 0,
        latencyMs: 0,
        latencySumMs: 0,
        latencySquareSumMs: 0,
        latencyCount: 0,
      })),
    });
    lease.observe({ kind: "success" });
    expect(lease.release({ kind: "success" })).toBe(true);
    expect(lease.release({ kind: "success" })).toBe(false);
    expect(JSON.parse(JSON.stringify(balancer.status()))).toEqual(balancer.status());
  });

  it("says what is wrong with an outcome that does not exist, and keeps the lease", () => {
    const { balancer } = balance();
    const lease = balancer.acquire();
    for (const [outcome, option] of [
      [{ kind: "ok" }, "outcome.kind"],
      [{ kind: "failed" }, "outcome.kind"],
      [{ kind: "failure" }, "outcome.reason"],
      [{ kind: "failure", reason: "status" }, "outcome.reason"],
      [{ kind: "response" }, "outcome.status"],
      [{ kind: "response", status: "200" }, "outcome.status"],
      [{ kind: "success", latencyMs: Number.NaN }, "outcome.latencyMs"],
      [undefined, "outcome"],
      ["success", "outcome"],
    ] as const) {
      expect(() => lease.release(outcome as never)).toThrow(expect.objectContaining({ code: "LB_OPTION", option }));
      expect(() => lease.observe(outcome as never)).toThrow(expect.objectContaining({ code: "LB_OPTION", option }));
    }
    expect(() => lease.release({ kind: "failur" } as never)).toThrow(/did you mean "failure"/);
    expect(balancer.status().endpoints[0]).toMatchObject({ inFlight: 1, requests: 1 });
    expect(lease.release({ kind: "response", status: 503 })).toBe(true);
    expect(lease.release({ kind: "response", status: 200 })).toBe(false);
    expect(balancer.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 1, errors: { 503: 1 } });
  });

  it("says what is wrong with a request, an exclusion, an event", async () => {
    const { balancer } = balance({ affinity: { header: "x-user" } } as never);
    const refused = (option: string) => expect.objectContaining({ code: "LB_OPTION", option });
    for (const request of [null, "/", { headers: {} }, { header: { cookie: "a" } }] as never[]) {
      expect(() => balancer.acquire(request)).toThrow(refused("request"));
      expect(() => balancer.tryAcquire(request)).toThrow(refused("request"));
      await expect(balancer.acquireOrWait(request)).rejects.toThrow(refused("request"));
    }
    expect(() => balancer.acquire({}, ["http://a:1"] as never)).toThrow(refused("exclude"));
    expect(() => balancer.on("heatlh" as never, () => {})).toThrow(/did you mean "health"/);
  });

  it("ends a lease with its block", () => {
    const { balancer } = balance();
    {
      using lease = balancer.acquire();
      using other = balancer.acquire();
      other.release({ kind: "response", status: 500 });
      expect(lease.url).toBe("http://a:1");
    }
    const counts = balancer.status().endpoints.map(({ inFlight, failures }) => [inFlight, failures]);
    expect(counts).toEqual([
      [0, 0],
      [0, 1],
      [0, 0],
    ]);
  });

  it("fails over with exclude, within the budget, and throws when nobody is left", () => {
    const { balancer } = balance({ retryBudget: { minRetriesPerSecond: 0, ratio: 2 } });
    const tried = new Set<Endpoint>();
    for (const url of three) {
      const lease = balancer.acquire({}, tried);
      expect(lease.url).toBe(url);
      tried.add(lease.endpoint);
      lease.release({ kind: "failure", reason: "reset" });
    }
    expect([balancer.withdrawRetry(), balancer.withdrawRetry(), balancer.withdrawRetry()]).toEqual([true, true, false]);
    expect(balancer.tryAcquire({}, tried)).toBeUndefined();
    expect(() => balancer.acquire({}, tried)).toThrow(
      expect.objectContaining({ code: "LB_UNAVAILABLE", reason: "all-excluded" }),
    );
  });

  it("takes endpoints out by their health and tells of it", () => {
    const { clock, balancer, urls } = balance();
    const seen: string[] = [];
    balancer.on("health", ({ to }) => expectTypeOf(to.kind).toBeString());
    const note = ({ endpoint, to }: UrlBalancerEventOf<"health">) => seen.push(`${endpoint.id} ${to.kind}`);
    expect(balancer.on("health", note)).toBe(balancer);
    balancer.acquire().release({ kind: "failure", reason: "connect" });
    expect(urls(4)).toEqual(["http://b:2", "http://c:3", "http://b:2", "http://c:3"]);
    clock.advance(10_000);
    expect(seen).toEqual(["http://a:1 ejected", "http://a:1 trial"]);
    expect(balancer.off("health", note)).toBe(balancer);
    expect(balancer.status().endpoints.map(({ health }) => health)).toEqual(["trial", "healthy", "healthy"]);
    for (let count = 0; count < 3; count++) balancer.acquire().release({ kind: "failure", reason: "connect" });
    expect(seen).toHaveLength(2);
  });

  it("keeps what it knows of URLs that stay", () => {
    const { balancer, urls } = balance();
    const lease = balancer.acquire();
    balancer.acquire().release({ kind: "failure", reason: "connect" });
    balancer.update(["http://b:2", { url: "http://c:3", weight: 5 }, "http://d:4"]);
    expect(new Set(urls(4))).toEqual(new Set(["http://c:3", "http://d:4"]));
    const inFlight = Object.fromEntries(balancer.status().endpoints.map((status) => [status.url, status.inFlight]));
    expect(inFlight).toEqual({ "http://a:1": 1, "http://b:2": 0, "http://c:3": 2, "http://d:4": 2 });
    lease.release({ kind: "success" });
    expect(balancer.status().endpoints.some(({ url }) => url === "http://a:1")).toBe(false);
    expect(() => balancer.update(["nonsense"])).toThrow(expect.objectContaining({ option: "endpoints[0]" }));
    expect(balancer.status().endpoints).toHaveLength(3);
  });

  it.each(["maglev", "rendezvous", "bounded-load"] as const)(
    "%s agrees between proxies with different pasts",
    (name) => {
      const fresh = balance({ strategy: name, endpoints: ["http://c:3", "http://d:4", "http://b:2"] }).balancer;
      const aged = balance({ strategy: name }).balancer;
      aged.update(["http://b:2", "http://c:3", "http://d:4"]);
      for (let client = 0; client < 200; client += 1) {
        const view = { clientAddress: `10.0.0.${client}` };
        const [one, other] = [fresh.acquire(view), aged.acquire(view)];
        expect(one.url).toBe(other.url);
        one.release({ kind: "success" });
        other.release({ kind: "success" });
      }
    },
  );

  it("drains", async () => {
    const { balancer, urls } = balance();
    const lease = balancer.acquire();
    let drained = false;
    const wait = balancer.drain("http://a:1").then(() => {
      drained = true;
    });
    await balancer.drain("http://unknown:1");
    expect(urls(3)).not.toContain("http://a:1");
    expect(drained).toBe(false);
    lease.release({ kind: "success" });
    await wait;
    balancer.update(["http://b:2"]);
    balancer.update(["http://a:1"]);
    expect(urls(1)).toEqual(["http://a:1"]);
  });
});

describe("acquireOrWait", () => {
  it("resolves at once, or when there is somebody", async () => {
    const { balancer } = balance({ endpoints: [] });
    const waiting = balancer.acquireOrWait();
    expect(balancer.status().waiting).toBe(1);
    balancer.update(["http://a:1"]);
    expect((await waiting).url).toBe("http://a:1");
    expect((await balancer.acquireOrWait({}, { signal: new AbortController().signal })).url).toBe("http://a:1");
  });

  it("rejects after maxWaitMs, when too many wait, and when the balancer closes", async () => {
    const { clock, balancer } = balance({ endpoints: [], queue: { maxWaiting: 1, maxWaitMs: 100 } });
    const first = balancer.acquireOrWait();
    await expect(balancer.acquireOrWait()).rejects.toMatchObject({ reason: "queue-full" });
    clock.advance(100);
    await expect(first).rejects.toMatchObject({ code: "LB_UNAVAILABLE", reason: "wait-timeout" });
    const second = balancer.acquireOrWait();
    await Promise.all([balancer.close(), expect(second).rejects.toMatchObject({ reason: "closed" })]);
    await expect(balancer.acquireOrWait()).rejects.toBeInstanceOf(UnavailableError);
  });

  it("stops waiting when the signal says so", async () => {
    const { clock, balancer } = balance({ endpoints: [] });
    const abort = new AbortController();
    const waiting = balancer.acquireOrWait({}, { signal: abort.signal });
    abort.abort(new Error("client gone"));
    await expect(waiting).rejects.toThrow("client gone");
    expect(balancer.status().waiting).toBe(0);
    await expect(balancer.acquireOrWait({}, { signal: abort.signal })).rejects.toThrow("client gone");
    expect(clock.pending).toBe(0);
  });
});

describe("createBalancer with active checks", () => {
  it("takes an endpoint out whose probe fails, and back in", async () => {
    let healthy = true;
    const server = createServer((_request, response) => response.writeHead(healthy ? 200 : 500).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const balancer = createBalancer({
      endpoints: [url, "unix:/nonexistent/lb.sock"],
      health: { active: { path: "/", intervalMs: 5, healthyAfter: 1, unhealthyAfter: 1 }, panicThreshold: 0 },
    });
    onTestFinished(() => balancer.close());
    const probes: string[] = [];
    balancer.on("probe", ({ endpoint, result }) => probes.push(`${endpoint.id} ${result.kind}`));
    const health = () => balancer.status().endpoints.map((status) => status.health);
    await eventually(() => health()[1] === "probe-down" && probes.includes(`${url} up`), { what: "both are probed" });
    expect(balancer.acquire().url).toBe(url);
    healthy = false;
    await eventually(() => health()[0] === "probe-down", { what: "the probe notices the failure" });
    healthy = true;
    await eventually(() => health()[0] === "healthy", { what: "the probe notices the recovery" });
    await balancer.close();
    const count = probes.length;
    balancer.update([url]);
    expect(probes).toHaveLength(count);
  });
});

describe("createBalancer's options", () => {
  it.each([
    [{ endpoints: "http://a" }, "endpoints"],
    [{}, "endpoints"],
    [{ endpoints: ["http://a", "http://a"] }, "endpoints[1]"],
    [{ endpoints: [], strategy: "round-robbin" }, "strategy"],
    [{ endpoints: [], health: { passive: { maxFails: 0 } } }, "health.passive.maxFails"],
    [{ endpoints: [], queue: { maxWaiting: -1 } }, "queue.maxWaiting"],
    [{ endpoints: [], retryBudget: { ratio: 0 } }, "retryBudget.ratio"],
    [{ endpoints: [], clock: Date }, "clock"],
    [{ endpoints: [], random: 4 }, "random"],
    [{ endpoints: [], endpoint: "x" }, "endpoint"],
  ])("%j is refused by name", (input, option) => {
    expect(() => createBalancer(input as unknown as CreateBalancerOptions)).toThrow(
      expect.objectContaining({ code: "LB_OPTION", option }),
    );
  });

  it("takes a strategy object", () => {
    const { urls } = balance({ strategy: roundRobin() });
    expect(urls(4)).toEqual([...three, three[0]]);
  });
});

describe("affinity", () => {
  const withCookie = (cookie?: string) => ({
    header: (name: string) => (name === "cookie" ? cookie : undefined),
  });
  const cookieOf = (fields: readonly string[]) => fields[fields.indexOf("Set-Cookie") + 1]!.split(";")[0]!;

  it("sends a client's requests where its cookie says, and hides the cookie from the endpoint", () => {
    const { balancer } = balance({ affinity: "cookie" });
    const first = balancer.acquire(withCookie());
    const cookie = cookieOf(first.responseFields(false));
    for (let times = 0; times < 5; times++) {
      const lease = balancer.acquire(withCookie(`a=b; ${cookie}`));
      expect(lease.url).toBe(first.url);
      expect(lease.responseFields(false)).toEqual([]);
    }
    expect(balancer.withoutCookie(`a=b; ${cookie}`)).toBe("a=b");
    expect(balancer.withoutCookie(cookie)).toBe("");
  });

  it("FAULTS 56: goes elsewhere with a new cookie when the endpoint was tried, is gone or drains", async () => {
    const { balancer } = balance({ affinity: "cookie" });
    const first = balancer.acquire(withCookie());
    const cookie = cookieOf(first.responseFields(false));
    first.release({ kind: "success" });
    const retried = balancer.acquire(withCookie(cookie), new Set([first.endpoint]));
    expect(retried.url).not.toBe(first.url);
    expect(cookieOf(retried.responseFields(false))).not.toBe(cookie);
    await balancer.drain(first.url);
    expect(balancer.tryAcquire(withCookie(cookie))?.url).not.toBe(first.url);
    expect((await balancer.acquireOrWait(withCookie(cookie))).url).not.toBe(first.url);
  });

  it("keeps a key at one endpoint while that takes requests, and gives it back its own afterwards", async () => {
    const { balancer } = balance({ affinity: { header: "x-user" } });
    const user = (name: string) => ({ header: (field: string) => (field === "x-user" ? name : undefined) });
    const names = Array.from({ length: 30 }, (_, index) => `user ${index}`);
    const homes = names.map((name) => balancer.acquire(user(name)).url);
    expect(new Set(homes).size).toBe(3);
    expect(names.map((name) => balancer.acquire(user(name)).url)).toEqual(homes);
    expect((await balancer.acquireOrWait(user(names[0]!))).url).toBe(homes[0]);
    balancer.update(three.slice(1));
    const without = names.map((name) => balancer.acquire(user(name)).url);
    for (const [index, home] of homes.entries()) if (home !== three[0]) expect(without[index]).toBe(home);
    balancer.update(three);
    expect(names.map((name) => balancer.acquire(user(name)).url)).toEqual(homes);
  });

  it("tells of a key function that throws, and serves the request all the same", () => {
    const { balancer } = balance({
      affinity: {
        key: () => {
          throw new Error("no");
        },
      },
    });
    const codes: string[] = [];
    balancer.on("affinity-key-failed", ({ error }) => codes.push(error.code));
    expect(balancer.acquire().url).toBe("http://a:1");
    expect(codes).toEqual(["LB_AFFINITY_KEY"]);
  });
});

// The option `affinity` through a whole cluster: BAD-INPUTS 86–90, FAULTS 56.
import { describe, expect, test } from "vitest";
import { edge, isUnread } from "./support/edge.ts";
import { httpGet } from "./support/http-get.ts";
import { PrimaryProcess } from "./support/primary-process.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  async function startCluster(affinity: unknown, options: object = {}) {
    const primary = new PrimaryProcess("app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 3, affinity, ...options }) },
    });
    const { port } = await primary.up();
    const ask = async (headers: Record<string, string> = {}, path = "/whoami") => {
      const answer = await httpGet(`http://127.0.0.1:${port}${path}`, { headers });
      const setCookie = answer.headers["set-cookie"]?.[0];
      return {
        ...answer,
        setCookie,
        cookie: setCookie?.split(";")[0],
        told: JSON.parse(answer.body) as { INSTANCE_ID: string; pid: number; cookie?: string },
      };
    };
    return { primary, ask };
  }

  const many = <T>(count: number, one: (n: number) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, n) => one(n)));
  const instancesOf = (answers: readonly { told: { INSTANCE_ID: string } }[]) => [
    ...new Set(answers.map(({ told }) => told.INSTANCE_ID)),
  ];

  describe('affinity: "cookie"', () => {
    test("the first response sets a cookie, and whoever brings it stays; the app never sees it", async () => {
      const { ask } = await startCluster("cookie");
      const first = await ask({ cookie: "theme=dark" });
      expect(first.setCookie).toMatch(/^lb=[\w-]+; Path=\/; .*HttpOnly; SameSite=Lax/);
      expect(/; Secure/.test(first.setCookie!)).toBe(edge !== "plain");
      expect(first.headers["cache-control"]).toContain("private");
      const again = await many(30, () => ask({ cookie: `theme=dark; ${first.cookie}; other=1` }));
      expect(instancesOf(again)).toEqual([first.told.INSTANCE_ID]);
      for (const { setCookie, told } of again)
        expect([setCookie, told.cookie]).toEqual([undefined, "theme=dark; other=1"]);
      const alone = await ask({ cookie: first.cookie! });
      expect(alone.told.cookie).toBeUndefined();
      // Those who bring none are balanced.
      await expect.poll(async () => instancesOf(await many(30, () => ask())).length).toBe(3);
    });

    test("BAD-INPUTS 86, 87, 88: forged, altered, doubled and huge cookies are worth nothing, and replaced", async () => {
      const { ask } = await startCluster({ cookie: { secret: "a secret of sixteen or more" } });
      const { cookie } = await ask();
      const value = cookie!.slice(3);
      const altered = `${value.slice(0, -2)}${value.at(-2) === "A" ? "B" : "A"}${value.at(-1)}`;
      for (const bad of [
        altered,
        "",
        "1",
        "2.1",
        "A".repeat(32),
        "A".repeat(4_000),
        `${value}; lb=${value}x`,
        "%00",
        '"',
      ]) {
        const answer = await ask({ cookie: `lb=${bad}` });
        expect([bad, answer.status, answer.setCookie?.startsWith("lb=")]).toEqual([bad, 200, true]);
        expect(answer.told.cookie ?? "").not.toContain("lb=");
      }
    });

    test("FAULTS 56: the instance is dead: another one answers, and the cookie moves there", async () => {
      const { primary, ask } = await startCluster("cookie", {
        restart: { delayMs: 60_000, maxDelayMs: 60_000, maxCrashes: 0, crashLoopDelayMs: 60_000 },
      });
      const { cookie, told } = await ask();
      process.kill(told.pid, "SIGKILL");
      const moved = await ask({ cookie: cookie! });
      expect(moved.status).toBe(200);
      expect(moved.told.INSTANCE_ID).not.toBe(told.INSTANCE_ID);
      expect(moved.setCookie).toBeDefined();
      const stays = await many(10, () => ask({ cookie: moved.cookie! }));
      expect(instancesOf(stays)).toEqual([moved.told.INSTANCE_ID]);
      expect((await primary.status()).pid).toBe(primary.pid);
    });

    test("a drained instance gives its clients away; a reload keeps them, since the cookie names the slot", async () => {
      const { primary, ask } = await startCluster("cookie");
      const first = await ask();
      await primary.operate("reload", { watchMs: 0, parallelism: 3 });
      const reloaded = await ask({ cookie: first.cookie! });
      expect(reloaded.told.INSTANCE_ID).toBe(first.told.INSTANCE_ID);
      expect(reloaded.told.pid).not.toBe(first.told.pid);
      expect(reloaded.setCookie).toBeUndefined();
      await primary.operate("drain", Number(first.told.INSTANCE_ID));
      const moved = await ask({ cookie: first.cookie! });
      expect(moved.told.INSTANCE_ID).not.toBe(first.told.INSTANCE_ID);
      expect(moved.setCookie).toBeDefined();
    });

    test("clusters with the same secret understand each other's cookies", async () => {
      const affinity = { cookie: { name: "sticky", secret: ["the newer secret of both", "the older secret of both"] } };
      const [one, other] = [await startCluster(affinity), await startCluster(affinity)];
      const { cookie, told } = await one.ask();
      const there = await many(10, () => other.ask({ cookie: cookie! }));
      expect(instancesOf(there)).toEqual([told.INSTANCE_ID]);
    });
  });

  type Place = [headers: Record<string, string>, path: string];

  describe.runIf(!isUnread(mode))("hash affinities of what a request says", () => {
    test.each([
      ["a header", { header: "x-user" }, (key: string): Place => [{ "x-user": key }, "/whoami"]],
      ["a query parameter", { query: "user" }, (key: string): Place => [{}, `/whoami?user=${key}`]],
    ])(
      "equal keys of %s meet at one instance, and one dead instance moves only its own",
      async (_, affinity, withKey) => {
        const { primary, ask } = await startCluster(affinity);
        const keys = Array.from({ length: 60 }, (__, n) => `user-${n}`);
        const where = async () =>
          new Map(
            await many(
              keys.length,
              async (n) => [keys[n]!, (await ask(...withKey(keys[n]!))).told.INSTANCE_ID] as const,
            ),
          );
        const before = await where();
        expect(await where()).toEqual(before);
        expect(new Set(before.values()).size).toBe(3);
        await primary.operate("drain", 2);
        const without = await where();
        for (const [key, instance] of before) {
          if (instance === "2") expect(without.get(key)).not.toBe("2");
          else expect([key, without.get(key)]).toEqual([key, instance]);
        }
        await primary.operate("resume", 2);
        expect(await where()).toEqual(before);
      },
    );

    test('"ip" keeps a client where it is; a trusted proxy tells which client it is', async () => {
      const { ask } = await startCluster("ip", { trustedProxies: ["loopback"] });
      const of = (address: string) => many(6, () => ask({ "x-forwarded-for": address }));
      const instances = new Set<string>();
      for (let n = 1; n <= 20; n += 1) {
        const [only, ...others] = instancesOf(await of(`192.0.2.${n}`));
        expect(others).toEqual([]);
        instances.add(only!);
      }
      expect(instances.size).toBe(3);
      // Two addresses of one /64 are one client.
      const net = instancesOf([...(await of("2001:db8:1:2::1")), ...(await of("2001:db8:1:2:ffff::9"))]);
      expect(net).toHaveLength(1);
    });

    test("in a list the first rule that finds something decides", async () => {
      const { ask } = await startCluster([{ header: "x-user" }, "cookie"]);
      const withHeader = await many(10, () => ask({ "x-user": "someone" }));
      expect(instancesOf(withHeader)).toHaveLength(1);
      expect(withHeader.map(({ setCookie }) => setCookie)).toEqual(new Array(10).fill(undefined));
      const { cookie, told } = await ask();
      expect(instancesOf(await many(10, () => ask({ cookie: cookie! })))).toEqual([told.INSTANCE_ID]);
    });
  });

  test('"ip" without a trusted proxy goes by no header', async () => {
    const { ask } = await startCluster("ip");
    const answers = await many(20, (n) => ask({ "x-forwarded-for": `192.0.2.${n}` }));
    expect(instancesOf(answers)).toHaveLength(1);
  });

  test.each([
    ["sticky", /affinity/],
    [{ cookie: { secret: "short" } }, /affinity.*secret/],
    [{ header: "not a header" }, /affinity.*header/],
  ])("affinity %j is refused with a remedy", async (affinity, message) => {
    const primary = new PrimaryProcess("app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, affinity }) } });
    const failed = await primary.failed();
    expect(failed.code).toBe("LB_OPTION");
    expect(failed.message).toMatch(message);
  });
});

import { createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { planWorkerPorts } from "./ports.ts";

const free = async () => true;
const random = seededRandom(process.pid);

describe("worker ports", () => {
  it("are consecutive from the given one", async () => {
    expect(await planWorkerPorts({ publicPort: 3000, workerPort: 3001, instances: 4, random })).toEqual([
      3001, 3002, 3003, 3004,
    ]);
  });

  it.each([
    ["reach beyond the last port", { publicPort: 3000, workerPort: 65_534, instances: 3, random }, "65536"],
    ["include the public port", { publicPort: 3002, workerPort: 3000, instances: 4, random }, "public port 3002"],
  ])("that %s are refused with the option's name", async (_, plan, detail) => {
    await expect(planWorkerPorts(plan, free)).rejects.toMatchObject({
      code: "LB_OPTION",
      option: "workerPort",
      message: expect.stringContaining(detail),
    });
  });

  it("chosen by us are the first free run from a random port upwards", async () => {
    const busy = new Set([21_505, 21_508]);
    const plan = { publicPort: 21_504, workerPort: 0, instances: 3, random: () => 0.5 };
    expect(await planWorkerPorts(plan, async (port) => !busy.has(port))).toEqual([21_509, 21_510, 21_511]);
  });

  it("chosen by us go round to the lowest when there is no room above", async () => {
    const plan = { publicPort: 3000, workerPort: 0, instances: 2, random: () => 1 - Number.EPSILON };
    expect(await planWorkerPorts(plan, async (port) => port !== 10_240)).toEqual([10_241, 10_242]);
  });

  it("chosen by us are free, consecutive, never the public port nor one for outgoing connections", async () => {
    const near = fc.integer({ min: 32_700, max: 32_767 });
    await fc.assert(
      fc.asyncProperty(near, near, fc.integer({ min: 1, max: 8 }), fc.uniqueArray(near), async (...drawn) => {
        const [publicPort, start, instances, busyList] = drawn;
        const busy = new Set(busyList);
        const random = () => (start - 10_240) / (32_768 - 10_240);
        const ports = await planWorkerPorts(
          { publicPort, workerPort: 0, instances, random },
          async (p) => !busy.has(p),
        );
        expect(ports).toHaveLength(instances);
        expect(ports.some((port) => busy.has(port) || port === publicPort || port > 32_767)).toBe(false);
        expect(ports.every((port, slot) => port === ports[0]! + slot)).toBe(true);
      }),
    );
  });

  it("say so when there is no such run", async () => {
    const plan = { publicPort: 3000, workerPort: 0, instances: 2, random };
    await expect(planWorkerPorts(plan, async (port) => port % 2 === 0)).rejects.toMatchObject({ code: "LB_PORT_BUSY" });
  });

  it("are looked up on this machine: one that is listened on is skipped", async () => {
    const [first] = await planWorkerPorts({ publicPort: 3000, workerPort: 0, instances: 1, random });
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(first, "127.0.0.1", resolve));
    try {
      const sameStart = () => (first! - 10_240 + 0.5) / (32_768 - 10_240);
      const again = await planWorkerPorts({ publicPort: 3000, workerPort: 0, instances: 1, random: sameStart });
      expect(again[0]).toBeGreaterThan(first!);
    } finally {
      taken.close();
    }
  });
});

import { createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planWorkerPorts } from "./ports.ts";

const free = async () => true;

describe("worker ports", () => {
  it("are consecutive from the given one", async () => {
    expect(await planWorkerPorts({ publicPort: 3000, workerPort: 3001, instances: 4 })).toEqual([
      3001, 3002, 3003, 3004,
    ]);
  });

  it.each([
    ["reach beyond the last port", { publicPort: 3000, workerPort: 65_534, instances: 3 }, "65536"],
    ["include the public port", { publicPort: 3002, workerPort: 3000, instances: 4 }, "public port 3002"],
  ])("that %s are refused with the option's name", async (_, plan, detail) => {
    await expect(planWorkerPorts(plan, free)).rejects.toMatchObject({
      code: "LB_OPTION",
      option: "workerPort",
      message: expect.stringContaining(detail),
    });
  });

  it("chosen by us are the first run of free ones behind the public port", async () => {
    const busy = new Set([3002, 3005]);
    const plan = { publicPort: 3000, workerPort: 0, instances: 3 };
    expect(await planWorkerPorts(plan, async (port) => !busy.has(port))).toEqual([3006, 3007, 3008]);
  });

  it("chosen by us go round below the public port when there is no room above", async () => {
    const plan = { publicPort: 65_534, workerPort: 0, instances: 2 };
    expect(await planWorkerPorts(plan, async (port) => port !== 1_024)).toEqual([1_025, 1_026]);
  });

  it("chosen by us are free, consecutive and never the public port, whatever is busy", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 65_500, max: 65_535 }),
        fc.integer({ min: 1, max: 8 }),
        fc.uniqueArray(fc.integer({ min: 65_500, max: 65_535 })),
        async (publicPort, instances, busyList) => {
          const busy = new Set([...busyList, publicPort]);
          const ports = await planWorkerPorts({ publicPort, workerPort: 0, instances }, async (p) => !busy.has(p));
          expect(ports).toHaveLength(instances);
          expect(ports.some((port) => busy.has(port) || port > 65_535)).toBe(false);
          expect(ports.every((port, slot) => port === ports[0]! + slot)).toBe(true);
        },
      ),
    );
  });

  it("say so when there is no such run", async () => {
    const plan = { publicPort: 60_000, workerPort: 0, instances: 2 };
    await expect(planWorkerPorts(plan, async (port) => port % 2 === 0)).rejects.toMatchObject({ code: "LB_PORT_BUSY" });
  });

  it("are looked up on this machine: one that is listened on is skipped", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    try {
      const [first] = await planWorkerPorts({ publicPort: port - 1, workerPort: 0, instances: 1 });
      expect(first).not.toBe(port);
    } finally {
      taken.close();
    }
  });
});

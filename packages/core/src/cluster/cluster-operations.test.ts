import { expect, test } from "vitest";
import { ClusterOperations, type ClusterOperationsOptions } from "./cluster-operations.ts";
import type { ReloadTurn } from "./group-operations.ts";

/** Groups that note what becomes of them; one of them may fail. */
function groups(failing?: string) {
  const noted: string[] = [];
  const group = (name: string) => ({
    name,
    async reload(_: unknown, { environment, alsoBefore }: ReloadTurn) {
      await environment?.();
      noted.push(`${name} serves`);
      try {
        if (name === failing) throw new Error(`${name} is broken`);
        await alsoBefore?.();
      } catch (error) {
        noted.push(`${name} is back`);
        throw error;
      }
      noted.push(`${name} stays`);
      return { replaced: [1], durationMs: 1 };
    },
  });
  const [app, py] = [group("app"), group("py")];
  let read = 0;
  const operations = new ClusterOperations({
    groups: { app: { operations: app }, names: ["py"], operations: () => py },
    hasApp: true,
    environment: {
      read: async () => {
        read += 1;
        return {};
      },
    },
    clock: { now: () => 0 },
  } as unknown as ClusterOperationsOptions);
  return { noted, operations, read: () => read };
}

test("one group after the other; the variables are read once", async () => {
  const { noted, operations, read } = groups();
  expect(await operations.reload()).toMatchObject({ replaced: [1], backends: { py: { replaced: [1] } } });
  expect([noted, read()]).toEqual([["app serves", "app stays", "py serves", "py stays"], 1]);
});

test("as a set, none stays before all serve", async () => {
  const { noted, operations } = groups();
  expect(await operations.reload({ rollback: "set" })).toMatchObject({ backends: { py: { replaced: [1] } } });
  expect(noted).toEqual(["app serves", "py serves", "py stays", "app stays"]);
});

test("as a set, what fails in one takes back all", async () => {
  const { noted, operations } = groups("py");
  await expect(operations.reload({ check: { path: "/" } })).rejects.toThrow("py is broken");
  expect(noted).toEqual(["app serves", "py serves", "py is back", "app is back"]);
});

import { expect, test } from "vitest";
import { engineClients, noteEngine } from "./engine-clients.ts";

test("sessions of all servers of the process are counted, of each once", () => {
  const [one, other] = [{ clientsCount: 3 }, { clientsCount: 4 }];
  noteEngine(one);
  const before = engineClients()!;
  for (const engine of [one, other, one]) noteEngine(engine);
  expect(engineClients()).toBe(before + 4);
  one.clientsCount = 0;
  noteEngine({ clientsCount: "many" });
  expect(engineClients()).toBe(before + 1);
});

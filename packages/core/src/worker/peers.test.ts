import { expect, test } from "vitest";
import { notePeers, whenSeveral } from "./peers.ts";

const peer = (id: number) => ({ id, port: 3000 + id, endpointId: `${id}.1` });

test("who asks before the primary has told of others is called when it has, once", () => {
  const called: string[] = [];
  notePeers({ taking: [peer(1)], lingering: [] });
  whenSeveral(() => called.push("early"));
  expect(called).toEqual([]);
  notePeers({ taking: [peer(1), peer(2)], lingering: [] });
  notePeers({ taking: [peer(1), peer(2), peer(3)], lingering: [] });
  whenSeveral(() => called.push("late"));
  expect(called).toEqual(["early", "late"]);
});

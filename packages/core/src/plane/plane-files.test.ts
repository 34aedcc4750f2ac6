import { expect, test } from "vitest";
import { siteOf } from "../../test/support/files-front.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { memoryContext } from "../../test/support/memory-proxy.ts";
import type { Held } from "../front/held.ts";
import type { Found } from "../front/proxy/router.ts";
import type { RequestHead } from "../http/request-head.ts";
import { fileSchema } from "../options/file-options.ts";
import { parseOptions } from "../options/validation.ts";
import { PlaneFiles } from "./plane-files.ts";

const request = { method: "GET", target: "/a.txt", fields: {}, header: () => undefined } as unknown as RequestHead;

function looking() {
  const clock = new ManualClock();
  const settings = parseOptions(fileSchema, { files: siteOf({ "a.txt": "hello" }), fallthrough: true });
  const files = new PlaneFiles({ settings, clock, random: Math.random });
  const { way } = memoryContext().context;
  const destination = files.destination(way, "");
  const held = destination(request) as Held<Found | "next">;
  const released: (Found | "next")[] = [];
  const looked = () => expect.poll(() => destination(request)).toMatchObject({ kind: "prepared" });
  return { clock, held, looked, released, responseMs: way.timeouts.responseMs, close: () => files.close() };
}

test("a disk that does not answer holds a request for no longer than an endpoint may take", async () => {
  const { clock, held, looked, released, responseMs, close } = looking();
  expect(held.kind).toBe("held");
  held.wait((to) => released.push(to));
  clock.advance(responseMs);
  expect(released).toEqual([{ kind: "refusal", status: 504, reason: "timeout" }]);
  // What it says later is said to nobody.
  await looked();
  expect(released).toHaveLength(1);
  close();
});

test("who has left is told nothing, neither by the disk nor by the clock", async () => {
  const { clock, held, looked, released, responseMs, close } = looking();
  held.wait((to) => released.push(to))();
  clock.advance(responseMs);
  await looked();
  expect(released).toEqual([]);
  close();
});

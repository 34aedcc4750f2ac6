import { expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { RefusalNotices } from "./refusal-notice.ts";

it("tells of the first refusal at once, and then every ten seconds how many there were", () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const notices = new RefusalNotices(clock, (refused) => told.push(refused));
  notices.note();
  expect(told).toEqual([1]);
  for (let n = 0; n < 5_000; n += 1) notices.note();
  expect(told).toHaveLength(1);
  clock.advance(10_000);
  expect(told[1]).toEqual(5_000);
  clock.advance(20_000);
  expect(told).toHaveLength(2);
  notices.note();
  expect(told[2]).toEqual(1);
});

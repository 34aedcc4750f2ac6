import { type Challenges, noChallenges } from "@lb/core/kit";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../core/test/support/manual-clock.ts";
import { SharedChallenges } from "./shared-challenges.ts";

/** Two processes that share a file, and what their fronts answer with. */
function processes() {
  const clock = new ManualClock();
  const abort = new AbortController();
  onTestFinished(() => abort.abort(new Error("over")));
  const file = { text: undefined as string | undefined };
  const make = () => {
    const presented: Challenges[] = [];
    const shared = new SharedChallenges({
      storage: {
        readChallenges: async () => file.text,
        writeChallenges: async (text) => {
          file.text = text;
        },
      },
      present: async (challenges) => void presented.push(challenges),
      clock,
      signal: abort.signal,
    });
    shared.follow();
    return { presented, shared };
  };
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 250) {
      clock.advance(250);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  return { file, pass, one: make(), other: make() };
}

const challenges: Challenges = { http: { token: "proof" }, alpn: {} };

test("what one is to prove the others answer before the authority is told to ask, until it is over", async () => {
  const { one, other, pass } = processes();
  let ready = false;
  const presenting = one.shared.present(challenges).then(() => {
    ready = true;
  });
  await pass(250);
  expect(ready).toBe(false);
  await pass(750);
  await presenting;
  expect([one.presented, other.presented]).toEqual([[challenges], [challenges]]);
  await one.shared.present(noChallenges);
  await pass(750);
  expect(other.presented.at(-1)).toEqual(noChallenges);
  expect(one.presented.length).toBe(2);
});

test("what a process left behind that died is answered for ten minutes; what cannot be read is nothing", async () => {
  const { other, pass, file } = processes();
  file.text = JSON.stringify(challenges);
  await pass(590_000);
  expect(other.presented).toEqual([challenges]);
  await pass(20_000);
  expect(other.presented).toEqual([challenges, noChallenges]);
  file.text = '{"http":';
  await pass(1_000);
  expect(other.presented.at(-1)).toEqual(noChallenges);
});

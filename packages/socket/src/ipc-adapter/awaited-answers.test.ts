import { expect, it } from "vitest";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { AwaitedAnswers } from "./awaited-answers.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function ask(answers: AwaitedAnswers, from: string[]) {
  const told: unknown[] = [];
  let id = "";
  answers.await(
    {
      from,
      timeoutMs: 100,
      answered: (values) => told.push(values),
      timedOut: (values, missing) => told.push({ values, missing }),
    },
    (given) => {
      id = given;
    },
  );
  return { told, answer: (who: string, ...values: unknown[]) => answers.answer(id, who, values) };
}

it("waits for everybody, for each once", () => {
  const clock = new ManualClock();
  const answers = new AwaitedAnswers(clock);
  const { told, answer } = ask(answers, ["1.1", "2.1"]);
  answer("1.1", "a", "b");
  answer("1.1", "again");
  answer("9.9", "not asked");
  answers.answer("unknown", "2.1", ["x"]);
  expect(told).toEqual([]);
  answer("2.1", "c");
  answer("2.1", "late");
  clock.advance(1_000);
  expect(told).toEqual([["a", "b", "c"]]);
});

it("waits for nobody who has left, and not for ever", async () => {
  const clock = new ManualClock();
  const answers = new AwaitedAnswers(clock);
  const first = ask(answers, ["1.1", "2.1"]);
  const second = ask(answers, ["1.1"]);
  const third = ask(answers, []);
  expect(third.told).toEqual([[]]);
  answers.left("1.1");
  expect(second.told).toEqual([[]]);
  clock.advance(99);
  expect(first.told).toEqual([]);
  clock.advance(1);
  await turn();
  expect(first.told).toEqual([{ values: [], missing: 1 }]);
});

it("takes an answer that is read in the turn in which its time is over", async () => {
  const clock = new ManualClock();
  const answers = new AwaitedAnswers(clock);
  const { told, answer } = ask(answers, ["1.1"]);
  clock.advance(100);
  // The process had paused: what came meanwhile is read behind the timers.
  answer("1.1", "in time");
  await turn();
  expect(told).toEqual([["in time"]]);
});

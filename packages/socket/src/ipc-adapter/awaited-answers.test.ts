import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AwaitedAnswers } from "./awaited-answers.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

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
  const answers = new AwaitedAnswers();
  const { told, answer } = ask(answers, ["1.1", "2.1"]);
  answer("1.1", "a", "b");
  answer("1.1", "again");
  answer("9.9", "not asked");
  answers.answer("unknown", "2.1", ["x"]);
  expect(told).toEqual([]);
  answer("2.1", "c");
  answer("2.1", "late");
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([["a", "b", "c"]]);
});

it("waits for nobody who has left, and not for ever", () => {
  const answers = new AwaitedAnswers();
  const first = ask(answers, ["1.1", "2.1"]);
  const second = ask(answers, ["1.1"]);
  const third = ask(answers, []);
  expect(third.told).toEqual([[]]);
  answers.left("1.1");
  expect(second.told).toEqual([[]]);
  vi.advanceTimersByTime(99);
  expect(first.told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(first.told).toEqual([{ values: [], missing: 1 }]);
});

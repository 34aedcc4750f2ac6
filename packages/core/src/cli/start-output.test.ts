import { describe, expect, test } from "vitest";
import { StartOutput } from "./start-output.ts";

const make = () => {
  const written: string[] = [];
  const output = new StartOutput(({ instance, text }) => written.push(`${instance} ${text}`));
  const say = (instance: number, text: string) => output.line({ instance, pid: 1, stream: "stderr", text });
  return { output, say, take: () => written.splice(0) };
};

describe("what instances write in the first start", () => {
  test("comes from the first at once, from the others when all are ready", () => {
    const { output, say, take } = make();
    say(2, "hello");
    say(1, "hello");
    expect(take()).toEqual(["1 hello"]);
    output.end();
    say(3, "more");
    expect(take()).toEqual(["2 hello", "3 more"]);
  });

  test.each([1, 3])(
    "is shown once where all say why they do not start (instance %i was the first to fail)",
    (instance) => {
      const { output, say, take } = make();
      for (const one of [2, 3, 1]) say(one, "no database");
      output.failed(instance);
      expect(take()).toEqual(["1 no database"]);
    },
  );

  test("is that of the instance that failed", () => {
    const { output, say, take } = make();
    for (const one of [1, 2, 3]) say(one, "hello");
    say(3, "no licence");
    output.failed(3);
    expect(take()).toEqual(["1 hello", "3 hello", "3 no licence"]);
  });

  test("is not held where it is much", () => {
    const { say, take } = make();
    for (let n = 0; n < 201; n += 1) say(2, `${n}`);
    expect(take()).toHaveLength(201);
  });
});

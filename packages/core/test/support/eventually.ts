export interface Patience {
  /** Default 20,000: long for one, and nothing to the other, where a machine is busy. */
  readonly withinMs?: number;
  /** Default 20; more where each time costs a process. */
  readonly everyMs?: number;
  /** Said when the time is up; a function says how things are by then. */
  readonly what: string | (() => string);
}

/** Asks again and again until there is an answer; rejects when there is none in time. */
export async function eventually<Answer>(
  ask: () => Answer | undefined | false | null | Promise<Answer | undefined | false | null>,
  { withinMs = 20_000, everyMs = 20, what }: Patience,
): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer;
    if (performance.now() > deadline) {
      throw new Error(`Not within ${withinMs} ms: ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

// Limits of a front over real connections of HTTP/2.
import { expect, test } from "vitest";
import { type RateLimitOptions, rateLimitSchema } from "../src/options/rate-limit-options.ts";
import { parseOptions } from "../src/options/validation.ts";
import { answerOn, ask, openSession, startHttp2Front } from "./support/http2-front.ts";

async function start(options: Partial<RateLimitOptions>) {
  const rateLimit = parseOptions(rateLimitSchema, { points: 10, windowMs: 1_000, ...options }, "rateLimit");
  let served = 0;
  const { httpsPort } = await startHttp2Front(
    (request, response) => {
      served++;
      request.pipe(response);
    },
    { rateLimit },
  );
  return { session: await openSession(httpsPort), served: () => served };
}

test("streams that do not pass get 429, and their connection goes on", async () => {
  const { session } = await start({ points: 2, windowMs: 60_000 });
  const answers = [await ask(session), await ask(session), await ask(session), await ask(session, {}, "body")];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
  expect(answers[2]!.headers).toMatchObject({ "retry-after": "30", ratelimit: '"default";r=0;t=30' });
  expect(session.closed).toBe(false);
});

test("streams are held back each by itself, with their bodies; one that is given up is asked of nobody", async () => {
  const { session, served } = await start({ burst: 5, delay: true });
  await ask(session);
  const startedAt = performance.now();
  const given = session.request({ ":path": "/" });
  const answers = ["one", "two", "three"].map((body) => ask(session, { ":method": "POST" }, body));
  given.on("error", () => {}).close(8);
  const bodies = (await Promise.all(answers)).map(({ body }) => body);
  expect(bodies).toEqual(["one", "two", "three"]);
  expect(performance.now() - startedAt).toBeGreaterThan(350);
  expect(served()).toBe(4);
});

test("an upload that goes on while it is held back arrives whole", async () => {
  const { session } = await start({ burst: 5, delay: true });
  await ask(session);
  const stream = session.request({ ":path": "/", ":method": "POST" });
  const answer = answerOn(stream);
  for (let part = 0; part < 20; part++) stream.write(`${part}`.padStart(8_192));
  stream.end();
  expect((await answer).body.length).toBe(20 * 8_192);
});

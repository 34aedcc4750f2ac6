import { expect, test } from "vitest";
import { alertSchema } from "./alert-options.ts";
import { parseOptions } from "./validation.ts";

const parse = (given: object) =>
  parseOptions(alertSchema, { to: [{ webhook: "https://ops.test/" }], ...given }, "alerts");

test("all but whom to tell may be left out", () => {
  expect(parse({})).toMatchObject({
    on: {
      instance: { forMs: 5_000, recoverForMs: 10_000 },
      errorRate: { above: 0.05, recoverBelow: 0.025, forMs: 60_000, minRequests: 50 },
      latency: false,
      cpu: { above: 0.8, forMs: 300_000 },
      certificate: { days: 7 },
    },
    digest: { messages: 5, perMs: 60_000 },
  });
  expect(parse({ on: { latency: { p95Ms: 500 }, cpu: false } }).on).toMatchObject({
    latency: { above: 500, recoverBelow: 400, forMs: 60_000 },
    cpu: false,
  });
  expect(parse({ quietHours: { from: "22:30", to: "07:00" } }).quietHours).toEqual({
    from: 1_350,
    to: 420,
    critical: "send",
  });
});

test.each([
  [{ to: [] }, "alerts.to"],
  [{ to: [{ webhok: "https://ops.test" }] }, "alerts.to[0]"],
  [{ to: [{ webhook: "ops.test" }] }, "alerts.to[0].webhook"],
  [{ to: [{ webhook: "https://ops.test", secret: "too short" }] }, "alerts.to[0].secret"],
  [{ to: [() => {}, { slack: 1 }] }, "alerts.to[1].slack"],
  [{ to: [{ mail: { smtp: "mail.test", from: "a@b", to: "a@b" } }] }, "alerts.to[0].mail.smtp"],
  [{ to: [{ mail: { smtp: "smtp://mail.test", from: "a@b\r\nBcc: c@d", to: "a@b" } }] }, "alerts.to[0].mail.from"],
  [{ to: [{ mail: { smtp: "smtp://mail.test", from: "a@b", to: ["a@b", "nobody"] } }] }, "alerts.to[0].mail.to"],
  [{ on: { latency: {} } }, "alerts.on.latency.p95Ms"],
  [{ on: { cpu: { above: 0.5, recoverBelow: 0.6 } } }, "alerts.on.cpu"],
  [{ on: { crashes: true } }, "alerts.on.crashes"],
  [{ quietHours: { from: "25:00", to: "07:00" } }, "alerts.quietHours.from"],
  [{ quietHours: { from: "22:00", to: "07:00", timeZone: "Mars/Base" } }, "alerts.quietHours.timeZone"],
])("%j is refused, and which option it is", (given, option) => {
  expect(() => parse(given)).toThrow(expect.objectContaining({ code: "LB_OPTION", option }));
});

test("a secret is in no message", () => {
  const thrown = (given: object) => {
    try {
      return parse(given);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(thrown({ to: [{ webhook: "https://ops.test", secret: "short" }] })).not.toMatch(/short"/);
  expect(thrown({ to: [{ webhook: "ftp://user:password@ops.test" }] })).not.toMatch(/password/);
  expect(thrown({ to: [{ slack: "htp://hooks.slack.test/T0/B0/XXXX" }] })).not.toMatch(/XXXX/);
  expect(thrown({ to: [{ mail: { smtp: "http://user:p@ssword@mail.test", from: "a@b", to: "a@b" } }] })).not.toMatch(
    /ssword@mail/,
  );
});

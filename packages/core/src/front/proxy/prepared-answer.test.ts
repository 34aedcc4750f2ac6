import { expect, test } from "vitest";
import { endpointsInSlots } from "../../../test/support/endpoints.ts";
import { PreparedAnswer } from "./prepared-answer.ts";

test("it is put together once for all, and anew for one that gets lines of its own", () => {
  const body = Buffer.from("a file");
  const parts = { status: 200, fields: ["ETag", '"1"'], length: body.length, body };
  const answer = new PreparedAnswer(parts, endpointsInSlots(1)[0]!, undefined);
  const way = { minorVersion: 1, keepAlive: true, encrypted: false, own: "" } as const;
  expect(answer.http1(way)).toBe(answer.http1(way));
  const [bytes] = answer.http1({ ...way, own: "RateLimit: a\r\n" });
  expect(bytes!.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*ETag: "1"\r\n.*RateLimit: a\r\n\r\na file$/s);
  expect(answer.http1(way)[0]!.toString()).not.toContain("RateLimit");
});

import { describe, expect, it } from "vitest";
import { badInputs } from "./support/bad-inputs.ts";
import { emptyReport, fuzz } from "./support/fuzz.ts";
import { fuzzTargets } from "./support/fuzz-targets.ts";
import { badRequests, chunkedBodies, requests, responses } from "./support/http-corpus.ts";
import { checkRequest, checkResponse } from "./support/http-fuzz.ts";
import { NodeRequestOracle } from "./support/node-oracle.ts";
import { readRequest } from "./support/read-request.ts";
import { readResponse } from "./support/read-response.ts";
import { seededRandom } from "./support/seeded-random.ts";

/** Cases per target; `pnpm fuzz` runs on from there. */
const cases = 3_000;

describe("what we accept, node:http accepts, and reads alike", () => {
  for (const target of fuzzTargets) {
    it(`${cases} ${target.name}, mutated and composed`, async () => {
      const report = emptyReport();
      await fuzz(target, { seed: 20_240_517, first: 0, count: cases }, report);
      expect(report.divergences).toEqual([]);
      expect(report.cases).toBe(cases);
      // A fuzzer whose inputs are all refused finds nothing.
      expect(report.accepted).toBeGreaterThan(cases / 10);
    });
  }

  it("the corpus itself", async () => {
    for (const text of [...requests, ...badRequests]) {
      expect((await checkRequest(Buffer.from(text, "latin1"), seededRandom(1))).divergence, text).toBeUndefined();
    }
    for (const text of responses) {
      expect((await checkResponse(Buffer.from(text, "latin1"), seededRandom(1))).divergence, text).toBeUndefined();
    }
  });
});

describe("wherever the bytes are split in two", () => {
  it("requests are read alike", () => {
    for (const text of [...requests, ...badRequests]) {
      const bytes = Buffer.from(text, "latin1");
      const whole = JSON.stringify(readRequest(bytes));
      for (let at = 0; at <= bytes.length; at++) {
        expect(JSON.stringify(readRequest(bytes, { splits: [at] })), `${text} at ${at}`).toBe(whole);
      }
    }
  });

  it("responses are read alike", () => {
    for (const text of responses) {
      const bytes = Buffer.from(text, "latin1");
      const whole = JSON.stringify(readResponse(bytes));
      for (let at = 0; at <= bytes.length; at++) {
        expect(JSON.stringify(readResponse(bytes, { splits: [at] })), `${text} at ${at}`).toBe(whole);
      }
    }
  });
});

describe("the oracle can tell", () => {
  it("sees a smuggled request that a lenient reading would miss", async () => {
    const smuggler = badInputs.find(({ name }) => name === "Content-Length with Transfer-Encoding")!;
    const reading = await new NodeRequestOracle().read(Buffer.from(smuggler.bytes, "latin1"));
    expect(reading.error).toBeDefined();
  });

  it("sees a body that is one byte longer than we said", async () => {
    const text = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nab";
    const reading = await new NodeRequestOracle().read(
      Buffer.from(`${text}GET / HTTP/1.1\r\nHost: a\r\n\r\n`, "latin1"),
    );
    expect(reading.messages.map(({ method, body }) => [method, body])).toEqual([["POST", "abG"]]);
    expect(reading.error).toBeDefined();
  });

  it("is given every kind of body", () => {
    const kinds = requests.map((text) => readRequest(Buffer.from(text, "latin1")));
    const framings = kinds.flatMap((reading) => (reading.kind === "accepted" ? [reading.head.framing.kind] : []));
    expect(new Set(framings)).toEqual(new Set(["none", "length", "chunked"]));
    expect(framings.filter((kind) => kind === "chunked")).toHaveLength(chunkedBodies.length);
  });
});

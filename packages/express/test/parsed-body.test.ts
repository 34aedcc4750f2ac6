import { describe, expect, it } from "vitest";
import { type HttpGetOptions, httpGet } from "../../core/test/support/http-get.ts";
import { startBackend } from "./support/backend.ts";
import { expressFrameworks } from "./support/frameworks.ts";

describe.each(expressFrameworks)("$name: bodies that were parsed before", ({ startGateway }) => {
  it.each([
    ["application/json", '{"a":[1,2],"é":"ü"}'],
    ["application/vnd.api+json; charset=utf-8", '{"a":1}'],
    ["application/x-www-form-urlencoded", "a=1&b%5B%5D=2&b%5B%5D=3&c%5Bd%5D=%C3%A9"],
    ["application/octet-stream", "\u0001\u0002"],
    ["text/csv", "not,parsed"],
  ])("%s", async (type, body) => {
    const { url: target } = await startBackend("a");
    const { url } = await startGateway({ targets: [target], parseBodies: true });
    const options: HttpGetOptions = { method: "POST", headers: { "Content-Type": type }, body };
    const { status, body: answer } = await httpGet(url, options);
    expect(status).toBe(200);
    const seen = JSON.parse(answer);
    if (type.includes("urlencoded")) {
      const decoded = decodeURIComponent(seen.body);
      expect(decoded).toBe("a=1&b=2&b=3&c[d]=é");
    } else expect(seen.body).toBe(body);
    const announced = seen.headers["content-length"];
    if (announced !== undefined) expect(Number(announced)).toBe(Buffer.byteLength(seen.body));
  });

  it("a parsed body is sent again elsewhere", async () => {
    const [bad, good] = [
      await startBackend("bad", (request) => void request.socket.destroy()),
      await startBackend("good"),
    ];
    const targets = [bad.url, good.url];
    const { url } = await startGateway({ targets, parseBodies: true, strategy: "round-robin" });
    const headers = { "Content-Type": "application/json" };
    const { body } = await httpGet(url, { method: "PUT", headers, body: '{"a":1}' });
    expect(JSON.parse(body)).toMatchObject({ backend: "good", body: '{"a":1}' });
    expect(bad.seen).toHaveLength(1);
  });
});

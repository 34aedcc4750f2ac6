import { describe, expect, it } from "vitest";
import { httpGet } from "../../core/test/support/http-get.ts";
import { startBackend } from "./support/backend.ts";
import { expressFrameworks, type GatewayOptions } from "./support/frameworks.ts";

const form = "application/x-www-form-urlencoded";

describe.each(expressFrameworks)("$name: bodies that were parsed before", ({ startGateway }) => {
  async function post(parseBodies: GatewayOptions["parseBodies"], type: string, body: string | Buffer) {
    const { url: target } = await startBackend("a");
    const told: string[] = [];
    const onError = ({ code }: { readonly code: string }) => void told.push(code);
    const { url } = await startGateway({ targets: [target], parseBodies: parseBodies!, onError });
    const { status, body: answer } = await httpGet(url, {
      method: "POST",
      headers: { "Content-Type": type },
      body,
    });
    return { status, told, seen: status === 200 ? JSON.parse(answer) : undefined };
  }

  it.each([
    ["application/json", '{"a":[1,2],"é":"ü"}'],
    ["application/json; charset=utf-8", '{"a":1}'],
    [form, "a=1&b=%C3%A9+%26"],
    ["application/octet-stream", "\u0001\u0002"],
    ["text/plain", "not parsed é"],
    ["text/csv", "not,parsed"],
  ])("%s", async (type, body) => {
    const { status, seen } = await post(true, type, body);
    expect([status, seen.body]).toEqual([200, body]);
    const announced = seen.headers["content-length"];
    if (announced !== undefined) expect(Number(announced)).toBe(Buffer.byteLength(seen.body));
  });

  it.each([
    ["any JSON", "application/json", JSON.stringify('{"role":"admin"}')],
    [
      "any JSON",
      "application/json",
      Buffer.concat([Buffer.from('"{\\"role\\":\\"admin\\"}'), Buffer.alloc(3, 0xff), Buffer.from('"')]),
    ],
    [true, "application/json", '{"id":12345678901234567890}'],
    [true, form, "a[]=1"],
    [true, form, "a=1&a=2"],
    [true, "text/plain; charset=iso-8859-1", Buffer.from("\xe9", "latin1")],
    [true, "text/plain", Buffer.from([0x61, 0xff])],
  ] as const)("one that would say something else is not relayed (%s, %s, %s)", async (how, type, body) => {
    expect(await post(how, type, body)).toMatchObject({ status: 500, told: ["LB_BODY_CONSUMED"] });
  });

  it.each([
    ["application/json", '{ "id": 12345678901234567890 }'],
    [form, "a[]=1&b=2&b=3"],
  ])("bytes that were kept are sent as they were: %s", async (type, body) => {
    expect((await post("keeping the bytes", type, body)).seen).toMatchObject({ body });
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

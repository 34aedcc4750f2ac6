import { describe, expect, it } from "vitest";
import { type HttpAnswer, httpGet } from "../../core/test/support/http-get.ts";
import { type Backend, startBackend } from "./support/backend.ts";
import { frameworks } from "./support/frameworks.ts";

/** A target that answers with the fields that it is asked for. */
const startEcho = (): Promise<Backend> =>
  startBackend("a", (request, response) => {
    const { "x-answer": fields = "{}", host } = request.headers;
    response.writeHead(302, JSON.parse(String(fields).replaceAll("HOST", String(host)))).end();
  });

async function answered(
  url: string,
  fields: Record<string, unknown>,
  host = "app.example",
): Promise<HttpAnswer["headers"]> {
  const answer = await httpGet(url, { headers: { Host: host, "X-Answer": JSON.stringify(fields) } });
  expect(answer.status).toBe(302);
  return answer.headers;
}

describe.each(frameworks)("$name: where a target sends its clients", ({ startGateway }) => {
  it("redirects lead to where clients find the target", async () => {
    const { url: target } = await startEcho();
    const { url } = await startGateway({ targets: [`${target}/base`], mount: "/api" });
    const location = async (value: string) => (await answered(`${url}/api/x`, { Location: value })).location;
    expect(await location("/base/next?y")).toBe("/api/next?y");
    expect(await location(`${target}/base/next`)).toBe("/api/next");
    expect(await location("https://HOST/base/next")).toBe("https://app.example/api/next");
    expect(await location("https://elsewhere.example/base/next")).toBe("https://elsewhere.example/base/next");
    expect(await location("next")).toBe("next");
    const more = await answered(`${url}/api/x`, { "Content-Location": "/base/x.json", Refresh: "5; url=/base/y" });
    expect(more).toMatchObject({ "content-location": "/api/x.json", refresh: "5; url=/api/y" });
  });

  it("a target that was told its own host is hidden behind the client's", async () => {
    const { url: target } = await startEcho();
    const { url } = await startGateway({ targets: [target], changeOrigin: true });
    expect((await answered(url, { Location: "http://HOST/next" })).location).toBe("/next");
    const named = await startGateway({ targets: [target], headers: { request: { Host: "inner.example" } } });
    expect((await answered(named.url, { Location: "http://HOST/next" })).location).toBe("/next");
    // Two slashes of a target's path are no host of ours (BAD-INPUTS 178).
    expect((await answered(url, { Location: "http://HOST//evil.example/" })).location).toBe("/.//evil.example/");
  });

  it("redirects follow the path option, and stay as they are where that is asked for", async () => {
    const { url: target } = await startEcho();
    const given = { targets: [target], mount: "/tenants/:id" };
    const location = async (options: object, value: string) => {
      const { url } = await startGateway({ ...given, ...options });
      return (await answered(`${url}/tenants/7/x`, { Location: value })).location;
    };
    expect(await location({}, "/next")).toBe("/tenants/7/next");
    expect(await location({ path: "/v2/:id" }, "/v2/7/next")).toBe("/tenants/7/next");
    expect(await location({ path: "/v2/:id" }, "/next")).toBe("/next");
    expect(await location({ path: "original" }, "/tenants/7/next")).toBe("/tenants/7/next");
    expect(await location({ path: "original" }, "/login")).toBe("/login");
    expect(await location({ rewriteLocations: false }, "/next")).toBe("/next");
  });

  it("cookies go where the options say, and otherwise where the target says", async () => {
    const { url: target } = await startEcho();
    const sent = ["a=1; Path=/; Domain=inner.example; HttpOnly", "b=2; Path=/x", "__Host-c=3; Path=/; Secure"];
    const cookies = async (options: object) => {
      const { url } = await startGateway({ targets: [target], mount: "/api", ...options });
      return (await answered(`${url}/api`, { "Set-Cookie": sent }))["set-cookie"];
    };
    expect(await cookies({})).toEqual(sent);
    expect(await cookies({ cookies: { path: "mounted", domain: "dropped" } })).toEqual([
      "a=1; Path=/api; HttpOnly",
      "b=2; Path=/api/x",
      sent[2],
    ]);
    const path = (given: string) => `/v1${given}`;
    const domain = () => "app.example";
    expect((await cookies({ cookies: { path, domain } }))?.[0]).toBe("a=1; Path=/v1/; Domain=app.example; HttpOnly");
    const throws = () => {
      throw new Error("broken");
    };
    const { url } = await startGateway({ targets: [target], cookies: { path: throws } });
    expect((await httpGet(url, { headers: { "X-Answer": '{"Set-Cookie":"a=1; Path=/"}' } })).status).toBe(500);
  });
});

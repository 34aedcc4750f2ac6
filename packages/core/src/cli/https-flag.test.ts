import { describe, expect, test } from "vitest";
import { httpsOf, withHttps } from "./https-flag.ts";

const nothing = { configured: undefined, env: {} };
const acme = { domains: ["a.example", "b.example"], agreeTos: true } as const;

describe("--https", () => {
  test("names are asked an authority for, on the ports of the Internet", () => {
    expect(withHttps({ https: httpsOf(["a.example", "b.example"]) }, nothing)).toEqual({
      host: expect.stringMatching(/^(::|0\.0\.0\.0)$/),
      port: 80,
      workerPort: 0,
      http: "redirect",
      https: { port: 443, acme },
    });
  });

  test("localhost stays on this machine, on ports that everybody may open", () => {
    const https = httpsOf(["localhost"]);
    expect(withHttps({ https }, nothing)).toEqual({
      port: 3_000,
      http: "redirect",
      https: { port: 3_443, localhost: true },
    });
    expect(withHttps({ https, port: 8_080 }, nothing).https).toMatchObject({ port: 8_443 });
    expect(withHttps({ https, port: 80 }, nothing).https).toMatchObject({ port: 443 });
    expect(withHttps({ https }, { configured: undefined, env: { PORT: "4000" } })).toMatchObject({
      port: 4_000,
      https: { port: 4_443 },
    });
    expect(withHttps({ https: httpsOf(["localhost", "a.example", "b.example"]) }, nothing).https).toMatchObject({
      localhost: true,
      acme,
    });
  });

  test("what was said stands, on the command line and in the configuration", () => {
    const configured = {
      port: 8_443,
      profile: "modern",
      acme: { ...acme, storage: "/s", domains: ["c.example"] },
    } as const;
    const given = {
      host: "10.0.0.1",
      port: 81,
      workerPort: 5_000,
      http: "serve",
      https: httpsOf(["a.example", "b.example"]),
    } as const;
    expect(withHttps(given, { configured, env: { PORT: "4000" } })).toEqual({
      ...given,
      https: { port: 8_443, profile: "modern", acme: { ...acme, storage: "/s" } },
    });
    const listen = [{ port: 81 }, { port: 444, https: true }];
    expect(withHttps({ listen, https: httpsOf(["localhost"]) }, nothing)).toEqual({
      listen,
      http: "redirect",
      https: { localhost: true },
    });
    expect(withHttps({ port: 3 }, nothing)).toEqual({ port: 3 });
  });
});

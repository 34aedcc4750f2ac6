import { describe, expect, test } from "vitest";
import { OptionError } from "../model/errors.ts";
import { affinitySchema } from "./affinity-options.ts";
import { parseOptions } from "./validation.ts";

function parsed(input: unknown) {
  return parseOptions(affinitySchema, input, "affinity");
}

function refused(input: unknown): OptionError {
  try {
    parsed(input);
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error("The option was accepted");
}

const cookie = { kind: "cookie", name: "lb", ttlMs: 86_400_000, path: "/", secrets: undefined };
const key = () => "all";

describe("what can be written", () => {
  test.each([
    ["cookie", [cookie]],
    ["ip", [{ kind: "ip", ipv4PrefixLength: 32, ipv6PrefixLength: 64 }]],
    ["socket.io", [{ kind: "socket.io", secrets: undefined }]],
    [
      { cookie: { name: "sid", ttlMs: 60_000, path: "/app" } },
      [{ ...cookie, name: "sid", ttlMs: 60_000, path: "/app" }],
    ],
    [{ cookie: { secret: "0123456789abcdef" } }, [{ ...cookie, secrets: ["0123456789abcdef"] }]],
    [
      { "socket.io": { secret: ["0123456789abcdef", "fedcba9876543210"] } },
      [{ kind: "socket.io", secrets: ["0123456789abcdef", "fedcba9876543210"] }],
    ],
    [{ ip: { ipv4PrefixLength: 24 } }, [{ kind: "ip", ipv4PrefixLength: 24, ipv6PrefixLength: 64 }]],
    [{ header: "X-User-Id" }, [{ kind: "header", name: "X-User-Id" }]],
    [{ query: "room" }, [{ kind: "query", name: "room" }]],
    [{ key }, [{ kind: "key", key }]],
    [
      ["socket.io", "cookie", { header: "x-user" }],
      [{ kind: "socket.io", secrets: undefined }, cookie, { kind: "header", name: "x-user" }],
    ],
  ])("%j", (input, settings) => {
    expect(parsed(input)).toEqual(settings);
  });

  test("what comes out is frozen, and what went in is not touched", () => {
    const secret = ["0123456789abcdef"];
    const settings = parsed([{ cookie: { secret } }]);
    expect(Object.isFrozen(settings) && Object.isFrozen(settings[0])).toBe(true);
    secret.push("changed afterwards");
    expect(settings[0]).toMatchObject({ secrets: ["0123456789abcdef"] });
  });
});

describe("what cannot", () => {
  test.each([
    ["cokie", "affinity", 'did you mean "cookie"?'],
    [5, "affinity", 'use one of "cookie", "ip", "socket.io"'],
    [null, "affinity", "use one of"],
    [[], "affinity", "give at least one rule"],
    [{}, "affinity", "give one rule per object"],
    [{ cookie: undefined }, "affinity", "give one rule per object"],
    [{ header: "a", query: "b" }, "affinity", "give one rule per object"],
    [{ heder: "a" }, "affinity.heder", 'did you mean "header"?'],
    [["ip", { cookie: { nme: "x" } }], "affinity[1].cookie.nme", 'did you mean "name"?'],
    [["cookie", "cookie"], "affinity", "give one cookie rule"],
    [["socket.io", "ip", "socket.io"], "affinity", 'give "socket.io" once'],
    [[["ip"]], "affinity[0]", "give an object of options"],
    [{ cookie: { name: "a b" } }, "affinity.cookie.name", "give a cookie name"],
    [{ cookie: { name: "" } }, "affinity.cookie.name", "give a cookie name"],
    [{ cookie: { path: "/a;Domain=b" } }, "affinity.cookie.path", "give a path"],
    [{ cookie: { path: "/a\r\nX: y" } }, "affinity.cookie.path", "give a path"],
    [{ cookie: { path: "app" } }, "affinity.cookie.path", "give a path"],
    [{ cookie: { ttlMs: 999 } }, "affinity.cookie.ttlMs", "give milliseconds from 1000 to 34560000000"],
    [{ cookie: { ttlMs: Number.POSITIVE_INFINITY } }, "affinity.cookie.ttlMs", "give milliseconds"],
    [{ cookie: { secret: [] } }, "affinity.cookie.secret", "give at least 16 characters"],
    [{ cookie: { secret: 5 } }, "affinity.cookie.secret", "give at least 16 characters"],
    [{ ip: { ipv4PrefixLength: 33 } }, "affinity.ip.ipv4PrefixLength", "give a whole number from 1 to 32"],
    [{ ip: { ipv6PrefixLength: 0 } }, "affinity.ip.ipv6PrefixLength", "give a whole number from 1 to 128"],
    [{ header: "x user" }, "affinity.header", "give the name of a header"],
    [{ query: "a&b" }, "affinity.query", "give the name of a query parameter"],
    [{ query: "" }, "affinity.query", "give the name of a query parameter"],
    [{ key: "x-user" }, "affinity.key", "give a function"],
  ])("%j", (input, option, remedy) => {
    const error = refused(input);
    expect(error.option).toBe(option);
    expect(error.message).toContain(remedy);
  });

  test("a secret that is too short is not shown", () => {
    for (const input of [{ cookie: { secret: "hunter2" } }, ["ip", { "socket.io": { secret: ["hunter2"] } }]]) {
      const error = refused(input);
      expect(error.message).toContain("give at least 16 characters");
      expect(error.message).not.toContain("hunter2");
    }
  });
});

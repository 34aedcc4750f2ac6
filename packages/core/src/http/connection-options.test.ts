import { describe, expect, it } from "vitest";
import { nominatedBy } from "./connection-options.ts";

describe("nominatedBy", () => {
  it.each([
    [undefined, []],
    ["keep-alive", []],
    ["Upgrade, Keep-Alive , ,close", []],
    ["X-Hop", ["x-hop"]],
    ["close, X-One,x-two ,__proto__", ["x-one", "x-two", "__proto__"]],
  ])("%j nominates %j", (connection, names) => {
    expect([...nominatedBy(connection)!]).toEqual(names);
  });

  it.each(["host", "x, Content-Length", "transfer-encoding", "expect", "no token", "x;y"])(
    "%j is refused",
    (connection) => {
      expect(nominatedBy(connection)).toBeUndefined();
    },
  );
});

import { expect, test } from "vitest";
import type { ClusterOptions } from "./cluster-options.ts";
import { gateOptions, parseGateOptions } from "./gate-options.ts";

const overChannel = (options: ClusterOptions) => JSON.parse(JSON.stringify(gateOptions(options)));

test("an instance has the primary's options, with the functions of its own program", () => {
  const own = () => "of the instance";
  const told = overChannel({
    affinity: ["socket.io", { key: () => "of the primary" }, { cookie: { secret: "0123456789abcdef" } }],
    allowedHosts: ["A.example"],
    allowedOrigins: ["https://a.example"],
    trustedProxies: ["10.0.0.0/8"],
    healthEndpoints: { path: "/up", token: "for the primary alone" },
    instances: 3,
  });
  expect(JSON.stringify(told)).not.toContain("alone");
  const settings = parseGateOptions(told, { affinity: [{ key: own }, { header: "x-a" }], allowedHosts: ["b.example"] });
  expect(settings.affinity).toEqual([
    { kind: "socket.io", secrets: undefined },
    { kind: "key", key: own },
    expect.objectContaining({ kind: "cookie", secrets: ["0123456789abcdef"] }),
  ]);
  expect([...settings.allowedHosts!, ...settings.allowedOrigins!]).toEqual(["a.example", "https://a.example"]);
  expect(["10.1.2.3", "11.1.2.3"].map((address) => settings.trustedProxies(address))).toEqual([true, false]);
  expect(settings).toMatchObject({ healthEndpoints: { path: "/up", token: undefined }, backendHeader: false });
});

test("nothing that was asked for is nothing", () => {
  const settings = parseGateOptions(overChannel({}), { affinity: "ip", backendHeader: true });
  expect(settings).toMatchObject({ healthEndpoints: false, backendHeader: false });
  expect([settings.affinity, settings.allowedHosts]).toEqual([undefined, undefined]);
});

test.each<ClusterOptions>([{}, { affinity: "cookie" }])("a program without the function cannot go on: %j", (own) => {
  const told = overChannel({ affinity: { key: () => "k" } });
  expect(() => parseGateOptions(told, own)).toThrow(
    expect.objectContaining({ option: "affinity", message: expect.stringContaining("start the cluster anew") }),
  );
});

import { describe, expect, it } from "vitest";
import { type ProxiedClient, proxyHeader } from "./proxy-header.ts";

const client: ProxiedClient = {
  address: "192.0.2.1",
  port: 40_000,
  localAddress: "198.51.100.7",
  localPort: 443,
  tls: undefined,
};

const signature = "0d0a0d0a000d0a515549540a";
const hex = (given: Partial<ProxiedClient>) => proxyHeader({ ...client, ...given }).toString("hex");

describe("proxyHeader", () => {
  it("tells both addresses of IPv4", () => {
    expect(hex({})).toBe(`${signature}2111000cc0000201c63364079c4001bb`);
    expect(hex({ localAddress: "::ffff:198.51.100.7" })).toBe(hex({}));
  });

  it("tells both addresses of IPv6", () => {
    const [source, destination] = ["20010db8000000000000000000000001", "00000000000000000000000000000001"];
    expect(hex({ address: "2001:db8::1", localAddress: "::1" })).toBe(
      `${signature}21210024${source}${destination}9c4001bb`,
    );
  });

  it("tells one of each family as IPv6", () => {
    const mapped = "00000000000000000000ffffc0000201";
    expect(hex({ localAddress: "fd00::a:2" })).toBe(
      `${signature}21210024${mapped}fd0000000000000000000000000a0002${"9c4001bb"}`,
    );
  });

  it("says nothing of one that came by a Unix socket", () => {
    expect(hex({ address: "", port: 0, localAddress: "", localPort: 0 })).toBe(`${signature}21000000`);
  });

  it("tells what TLS told, a certificate among it", () => {
    const tls = {
      version: "TLSv1.3",
      cipher: undefined,
      protocol: "h2",
      serverName: "a.example",
      commonName: undefined,
    };
    const parts = `0100026832${"020009612e6578616d706c65"}`;
    const version = "210007544c5376312e33";
    expect(hex({ address: "", tls }).slice(signature.length)).toBe(`21000023${parts}20000f0100000001${version}`);
    const shown = hex({ address: "", tls: { ...tls, commonName: "me", cipher: "X" } });
    expect(shown.slice(signature.length)).toBe(`2100002c${parts}2000180300000000${version}2200026d65${"23000158"}`);
  });
});

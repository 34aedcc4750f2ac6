import { X509Certificate } from "node:crypto";
import { authorityKeyIdentifierOf, type WallClock } from "@lb/core/kit";
import { type Authority, readJson } from "./authority.ts";
import { retryAfter } from "./problem.ts";
import type { RenewalWindow } from "./renewal.ts";

/** What an authority says of when to renew a certificate of its own (RFC 9773). */
export interface RenewalInfo {
  readonly window: RenewalWindow;
  /** When to ask again. */
  readonly lookAgainMs: number;
}

const [minLookMs, usualLookMs, maxLookMs] = [60_000, 21_600_000, 86_400_000];

/** What it is called there; undefined: it does not say who signed it. */
export function renewalName(cert: string): string | undefined {
  const { raw, serialNumber } = new X509Certificate(cert);
  const authority = authorityKeyIdentifierOf(raw);
  if (authority === undefined) return undefined;
  const hex = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  // As it is encoded: what looks negative has a zero before it.
  const serial = Buffer.from(Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex, "hex");
  return `${authority.toString("base64url")}.${serial.toString("base64url")}`;
}

/** Undefined: this authority says nothing of it. @throws AcmeError */
export async function renewalInfo(
  authority: Authority,
  cert: string,
  wallClock: WallClock,
): Promise<RenewalInfo | undefined> {
  const { renewalInfo: base } = await authority.directory();
  const name = renewalName(cert);
  if (base === undefined || name === undefined) return undefined;
  const answer = await authority.get(`${base.replace(/\/$/, "")}/${name}`, "The renewal information");
  const { suggestedWindow } = readJson(answer, "The renewal information") as {
    suggestedWindow?: { start?: unknown; end?: unknown };
  };
  const [start, end] = [Date.parse(String(suggestedWindow?.start)), Date.parse(String(suggestedWindow?.end))];
  if (!(start < end)) return undefined;
  const asked = retryAfter(answer, wallClock()) ?? usualLookMs;
  return { window: { start, end }, lookAgainMs: Math.min(maxLookMs, Math.max(minLookMs, asked)) };
}

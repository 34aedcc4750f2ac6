import type { TextFormat } from "./text-parts.ts";

/** The format that is asked for; of two that are as welcome the older one. */
export function formatFor(accept: string): TextFormat {
  const ranges = accept.split(",").map(range);
  const quality = (type: string, version: string) =>
    Math.max(0, ...ranges.filter((one) => one.type === type && version.startsWith(one.version)).map(({ q }) => q));
  const openmetrics = Math.max(0, quality("application/openmetrics-text", "1.0.0"));
  return openmetrics > quality("text/plain", "0.0.4") ? "openmetrics" : "prometheus";
}

function range(text: string): { readonly type: string; readonly version: string; readonly q: number } {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const of = (name: string) => parameters.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  const q = Number(of("q") ?? 1);
  return { type, version: of("version") ?? "", q: Number.isFinite(q) ? q : 0 };
}

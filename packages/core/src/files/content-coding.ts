/** How a file may be stored beside itself, best first: where a client takes several alike, the smallest is sent. */
export const codings = [
  { name: "br", extension: ".br" },
  { name: "zstd", extension: ".zst" },
  { name: "gzip", extension: ".gz" },
] as const;

export type Coding = (typeof codings)[number];

const none: readonly Coding[] = [];

/** What clients send is always the same few; of others so many are remembered. */
const maxRemembered = 256;
const remembered = new Map<string, readonly Coding[]>();

/** All there can be, by the names in them. */
const lists = new Map<string, readonly Coding[]>([["", none]]);

/** The codings that a client prefers to none, or takes as readily, best first (RFC 9110 §12.5.3). */
export function acceptedCodings(acceptEncoding: string | undefined): readonly Coding[] {
  if (acceptEncoding === undefined) return none;
  let accepted = remembered.get(acceptEncoding);
  if (accepted === undefined) {
    accepted = parse(acceptEncoding);
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(acceptEncoding, accepted);
  }
  return accepted;
}

function parse(acceptEncoding: string): readonly Coding[] {
  const weights = new Map<string, number>();
  for (const element of acceptEncoding.toLowerCase().split(",")) {
    const [, name, weight = "1"] =
      /^[ \t]*([\w!#$%&'*+.^`|~-]+)[ \t]*(?:;[ \t]*q=([01](?:\.\d{0,3})?)[ \t]*)?$/.exec(element) ?? [];
    if (name !== undefined) weights.set(name === "x-gzip" ? "gzip" : name, Number(weight));
  }
  const others = weights.get("*") ?? 0;
  const weightOf = (name: string) => weights.get(name) ?? others;
  const plain = weights.get("identity") ?? 0;
  const accepted = codings
    .filter(({ name }) => weightOf(name) > 0 && weightOf(name) >= plain)
    .sort((one, other) => weightOf(other.name) - weightOf(one.name));
  const key = accepted.map(({ name }) => name).join();
  const list = lists.get(key) ?? accepted;
  lists.set(key, list);
  return list;
}

// pnpm bench express [--smoke] [--json] [--seconds 5] [--rounds 3] [--only lb,…] [--cases small-64,browser-64]
//
// Proxies within an app, in front of two instances of the same app: ours with balancing and health checks, the others
// taking targets in turn.
import { gatewayCandidates } from "./candidates.ts";
import { browser, type Case, compare } from "./compare.ts";

const cases: readonly Case[] = [
  { name: "small-1", path: "/55", connections: 1, headers: {} },
  { name: "small-64", path: "/55", connections: 64, headers: {} },
  { name: "browser-64", path: "/55", connections: 64, headers: browser },
  { name: "browser-512", path: "/55", connections: 512, headers: browser },
  { name: "16k-64", path: "/16k", connections: 64, headers: {} },
  { name: "1m-64", path: "/1m", connections: 64, headers: {} },
];

await compare(
  ...Object.entries(gatewayCandidates()).map(([framework, available]) => ({
    available,
    missing: [],
    cases: cases.map((one) => ({ ...one, title: `${framework}: ${one.name}` })),
    smokeCase: "small-64",
  })),
);

// pnpm bench handoff [--smoke] [--json] [--seconds 5] [--rounds 3] [--only lb,cluster] [--cases small-64,browser-64,close-64]
//
// Two instances of the same app that get their connections from somebody else, beside HAProxy in front of two.
import { handoffCandidates } from "./candidates.ts";
import { browser, type Case, compare } from "./compare.ts";

const cases: readonly Case[] = [
  { name: "small-64", path: "/55", connections: 64, headers: {} },
  { name: "small-512", path: "/55", connections: 512, headers: {} },
  { name: "browser-64", path: "/55", connections: 64, headers: browser },
  { name: "16k-64", path: "/16k", connections: 64, headers: {} },
  { name: "close-64", path: "/55", connections: 64, headers: { Connection: "close" } },
];

await compare({ ...handoffCandidates(), cases, smokeCase: "small-64" });

// pnpm bench proxy [--smoke] [--json] [--seconds 5] [--rounds 3] [--only lb,haproxy] [--cases small-64,browser-64]
//
// Every candidate in front of two instances of the same app, reading each request.
import { candidates } from "./candidates.ts";
import { browser, type Case, compare } from "./compare.ts";

const cases: readonly Case[] = [
  { name: "small-1", path: "/55", connections: 1, headers: {} },
  { name: "small-64", path: "/55", connections: 64, headers: {} },
  { name: "small-512", path: "/55", connections: 512, headers: {} },
  { name: "browser-1", path: "/55", connections: 1, headers: browser },
  { name: "browser-64", path: "/55", connections: 64, headers: browser },
  { name: "browser-512", path: "/55", connections: 512, headers: browser },
  { name: "16k-64", path: "/16k", connections: 64, headers: {} },
  { name: "1m-64", path: "/1m", connections: 64, headers: {} },
  { name: "close-64", path: "/55", connections: 64, headers: { Connection: "close" } },
];

await compare({ ...candidates(), cases, smokeCase: "small-64" });

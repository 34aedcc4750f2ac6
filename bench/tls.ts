// pnpm bench tls [--smoke] [--json] [--seconds 5] [--rounds 3] [--only lb,haproxy] [--cases small-64,handshake-64]
//
// Every candidate decrypts in front of two instances of the same app, with the same certificate (ECDSA P-256) and one thread.
import { tlsCandidates } from "./candidates.ts";
import { browser, type Case, compare } from "./compare.ts";

const http2 = (connections: number, streams: number) => ({ connections, streams, headers: {} });

const cases: readonly Case[] = [
  { name: "small-64", path: "/55", connections: 64, headers: {} },
  { name: "browser-64", path: "/55", connections: 64, headers: browser },
  { name: "16k-64", path: "/16k", connections: 64, headers: {} },
  { name: "1m-64", path: "/1m", connections: 64, headers: {} },
  {
    name: "handshake-64",
    title: "handshake-64: a full handshake for each request",
    path: "/55",
    connections: 64,
    headers: { Connection: "close" },
  },
  {
    name: "resumed-4",
    title: "resumed-4: a resumed handshake for each request (openssl s_time)",
    path: "/55",
    connections: 4,
    headers: {},
    resumed: true,
  },
  { name: "h2-16x8", title: "h2-16x8: HTTP/2, 16 connections of 8 streams", path: "/55", ...http2(16, 8) },
  { name: "h2-1x100", title: "h2-1x100: HTTP/2, one connection of 100 streams", path: "/55", ...http2(1, 100) },
  { name: "h2-16k-16x8", title: "h2-16k-16x8: HTTP/2, responses of 16 KB", path: "/16k", ...http2(16, 8) },
  { name: "upload-16m-2", path: "/upload", connections: 2, headers: {}, uploadBytes: 16_777_216 },
];

await compare({ ...tlsCandidates(), cases, smokeCase: "small-64" });

import type { App } from "../../app.ts";

export const app: App = {
  title: "NestJS",
  packages: {
    "@nestjs/common": "12.5.1",
    "@nestjs/core": "12.5.1",
    "@nestjs/platform-express": "12.5.1",
    "reflect-metadata": "0.2.2",
    rxjs: "7.8.2",
    typescript: "6.0.3",
  },
  install: "own",
  build: [["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]],
  entry: "dist/main.js",
  requests: [
    { path: "/" },
    { path: "/people/ada" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' },
    { path: "/none" },
  ],
};

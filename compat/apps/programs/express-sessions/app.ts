import type { App } from "../../app.ts";

const form = { "content-type": "application/x-www-form-urlencoded" };

export const app: App = {
  title: "Express with sessions and Passport",
  packages: { express: "5.3.0", "express-session": "1.19.0", passport: "0.7.0", "passport-local": "1.0.0" },
  install: "shared",
  entry: "server.js",
  flags: ["--affinity", "cookie"],
  cookies: true,
  requests: [
    { path: "/" },
    { path: "/login", method: "POST", headers: form, body: "username=ada&password=wrong" },
    { path: "/me" },
    { path: "/login", method: "POST", headers: form, body: "username=ada&password=secret" },
    { path: "/me" },
    { path: "/me" },
    { path: "/logout", method: "POST" },
    { path: "/me" },
  ],
  quick: "proxy",
  note: "sessions are in each instance's memory, hence the affinity",
};

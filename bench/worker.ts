// One plain instance on a port of its own, for the candidates that are not a cluster themselves.
import { createApp } from "./app.ts";

createApp().listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.("ready"));

// One plain WebSocket echo instance on a port of its own.
import { createEchoApp } from "./echo-app.ts";

createEchoApp().listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.("ready"));

import { balance } from "@lb/express";
import express from "express";
import { targets } from "./targets.ts";

const app = express();
app.use(balance({ targets, health: { active: { path: "/55", intervalMs: 1_000 } } }));
app.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.({ ready: true }));

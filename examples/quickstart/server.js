import { cluster } from "@lb/core";
import { createApp } from "./app.js";
import { banner } from "./banner.js";

const app = await cluster({ instances: 4, strategy: "round-robin", backendHeader: true }, createApp);

if (app.role === "primary") console.log(banner(app));

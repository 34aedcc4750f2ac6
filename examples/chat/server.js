import { cluster } from "@lb/core";
import { createApp } from "./app.js";

const app = await cluster({ instances: 4 }, createApp);

if (app.role === "primary") {
  console.log(`
  Four instances, one chat: ${app.status().url}

  Open it in two windows. "Kill my instance" ends the process that serves you: you are back in a moment, on another
  instance, with all that was said meanwhile.

  Ctrl-C stops it.
`);
}

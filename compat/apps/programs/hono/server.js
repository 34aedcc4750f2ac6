import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamText } from "hono/streaming";

const app = new Hono();
app.get("/", (context) => context.json({ hello: "hono", url: context.req.url }));
app.get("/stream", (context) =>
  streamText(context, async (stream) => {
    for (const word of ["one", "two", "three"]) await stream.writeln(word);
  }),
);
app.get("/away", (context) => context.redirect("/"));
app.post("/echo", async (context) => context.text(await context.req.text()));
serve({ fetch: app.fetch, port: Number(process.env.PORT) });

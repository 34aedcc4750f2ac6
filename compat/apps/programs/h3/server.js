import { H3, readBody, redirect, serve } from "h3";

const app = new H3();
app.get("/", (event) => ({ hello: "h3", url: event.url.href }));
app.get("/away", () => redirect("/"));
app.post("/echo", async (event) => readBody(event));
serve(app, { silent: true });

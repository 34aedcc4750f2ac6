import { node } from "@elysiajs/node";
import { Elysia } from "elysia";

new Elysia({ adapter: node() })
  .get("/", () => ({ hello: "elysia" }))
  .get("/away", ({ redirect }) => redirect("/"))
  .post("/echo", ({ body }) => body)
  .listen(Number(process.env.PORT));

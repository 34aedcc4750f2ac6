const Koa = require("koa");
const Router = require("@koa/router").default ?? require("@koa/router");

const app = new Koa();
const router = new Router();
router.get("/", (context) => {
  context.body = { hello: "koa" };
});
router.get("/away", (context) => context.redirect("/"));
router.post("/echo", async (context) => {
  const chunks = [];
  for await (const chunk of context.req) chunks.push(chunk);
  context.body = Buffer.concat(chunks);
});
app.use(router.routes());
app.listen(process.env.PORT);

import polka from "polka";
import sirv from "sirv";

polka()
  .use(sirv("public"))
  .get("/", (request, response) => response.end("hello"))
  .listen(process.env.PORT);

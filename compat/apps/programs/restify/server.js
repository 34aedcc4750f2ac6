const restify = require("restify");

const server = restify.createServer({ name: "restify" });
server.use(restify.plugins.bodyParser());
server.get("/", (request, response, next) => {
  response.send({ hello: "restify" });
  next();
});
server.get("/away", (request, response, next) => response.redirect("/", next));
server.post("/echo", (request, response, next) => {
  response.send(request.body);
  next();
});
server.listen(process.env.PORT);

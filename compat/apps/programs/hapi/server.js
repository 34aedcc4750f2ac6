const Hapi = require("@hapi/hapi");

const server = Hapi.server({ port: process.env.PORT });
server.route([
  { method: "GET", path: "/", handler: () => ({ hello: "hapi" }) },
  { method: "GET", path: "/away", handler: (request, h) => h.redirect("/") },
  { method: "POST", path: "/echo", handler: (request) => request.payload },
]);
server.start();
process.on("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});

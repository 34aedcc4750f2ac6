const { join } = require("node:path");
const fastify = require("fastify")();

fastify.register(require("@fastify/static"), { root: join(__dirname, "public"), prefix: "/static/" });
fastify.get("/", async () => ({ hello: "fastify" }));
fastify.get("/away", (request, reply) => reply.redirect("/"));
fastify.post("/echo", async (request) => request.body);
fastify.listen({ port: Number(process.env.PORT), host: "0.0.0.0" });

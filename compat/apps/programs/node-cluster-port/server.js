const cluster = require("node:cluster");
const { createServer } = require("node:http");

if (cluster.isPrimary) {
  for (let count = 0; count < 2; count += 1) cluster.fork();
  cluster.on("exit", () => cluster.fork());
} else {
  createServer((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: "/" });
    response.end("hello");
  }).listen(18125);
}

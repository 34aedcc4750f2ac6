const { isMainThread, Worker } = require("node:worker_threads");
const { createServer } = require("node:http");

if (isMainThread)
  new Worker(__filename).on("error", (error) => {
    throw error;
  });
else
  createServer((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: "/" });
    response.end("hello");
  }).listen(process.env.PORT);

const { createServer } = require("node:http");

createServer((request, response) => {
  if (request.method === "POST") request.pipe(response);
  else response.end("hello");
}).listen(process.env.PORT);

import { createServer, type Server } from "node:http";

interface Answer {
  readonly url: string | undefined;
}

const server: Server = createServer((request, response) => {
  const answer: Answer = { url: request.url };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});
server.listen(Number(process.env["PORT"]));

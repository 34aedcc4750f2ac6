import { createServer } from "node:http";

enum Colour {
  Red = "red",
}

const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ url: request.url, colour: Colour.Red }));
});
server.listen(Number(process.env["PORT"]));

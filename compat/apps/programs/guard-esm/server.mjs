import { createServer } from "node:http";

export const server = createServer((request, response) => response.end("hello"));
if (import.meta.main) server.listen(process.env.PORT);

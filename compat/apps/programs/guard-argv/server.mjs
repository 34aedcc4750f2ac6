import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export function start() {
  const { values } = parseArgs({ options: { greeting: { type: "string" } } });
  createServer((request, response) => response.end(values.greeting)).listen(process.env.PORT);
}
if (process.argv[1] === fileURLToPath(import.meta.url)) start();

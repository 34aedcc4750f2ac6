import { createServer } from "node:net";

/** The public port, and those of the instances behind it. */
const run = 12;

/** A port such that it and the next few are free, below those that the system gives to clients. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = 20_000 + run * Math.floor(Math.random() * 1_000);
    if (await allFree(first)) return first;
  }
  throw new Error("no run of free ports was found");
}

async function allFree(first: number): Promise<boolean> {
  for (let port = first; port < first + run; port += 1) if (!(await isFree(port))) return false;
  return true;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

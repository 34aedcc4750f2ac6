import { get } from "node:http";
import { expect, test } from "vitest";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { ExampleProcess } from "./example-process.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

/** On a connection of its own. */
function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => {
        const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: isJson ? JSON.parse(text) : { text },
        });
      });
    }).on("error", reject);
  });
}

/** As a polite client: what is refused because the machine is busy is asked again. */
async function insist(url: string, headers?: Record<string, string>): Promise<Answer> {
  for (;;) {
    const answer = await ask(url, headers);
    if (answer.status !== 503) return answer;
    await new Promise((later) => setTimeout(later, 50));
  }
}

test.each(["express-gateway", "fastify-gateway"])("%s: all of it with one command", async (name) => {
  const port = await freePorts(4);
  const example = new ExampleProcess(`${name}/server.js`, { PORT: String(port) });
  await example.says("/api/ relays to");
  const url = `http://127.0.0.1:${port}`;

  const answers = await Promise.all(Array.from({ length: 12 }, () => insist(`${url}/api/things?x=1`)));
  expect(new Set(answers.map(({ body }) => body["service"]))).toEqual(new Set(["red", "green", "blue"]));
  for (const { body } of answers) expect(body["path"]).toBe("/things?x=1");
  const [first] = answers as [Answer];
  expect(first.headers["x-content-type-options"]).toBe("nosniff");

  const [cookie] = first.headers["set-cookie"]![0]!.split(";") as [string];
  for (let round = 0; round < 6; round++) {
    const { body } = await insist(`${url}/api/`, { Cookie: cookie });
    expect(body["service"]).toBe(first.body["service"]);
  }
  expect((await insist(`${url}/health/ready`)).status).toBe(200);
  expect(await insist(url)).toMatchObject({ status: 200, body: { strategy: "least-connections" } });

  const statuses = (await Promise.all(Array.from({ length: 100 }, () => ask(`${url}/api/`)))).map(
    ({ status }) => status,
  );
  expect(statuses).toContain(200);
  expect(statuses).toContain(429);

  example.child.kill("SIGTERM");
  expect(await example.exited).toBe(0);
});

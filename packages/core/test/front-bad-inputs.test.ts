// BAD-INPUTS.md through a real front, byte for byte: what is refused never reaches the worker, what is accepted reaches
// it as the catalogue says.
import { expect, onTestFinished, test } from "vitest";
import { badInputs, isRelayed } from "./support/bad-inputs.ts";
import { edge } from "./support/edge.ts";
import { rawBackend } from "./support/raw-backend.ts";
import { RawClient } from "./support/raw-client.ts";
import { startFront } from "./support/test-front.ts";

test.for(badInputs)("BAD-INPUTS $row: $name", async ({ bytes, expect: expected, limits }) => {
  let body = () => "";
  const backend = await rawBackend(async (connection) => {
    body = () => connection.rest().toString("latin1");
    const head = await connection.head();
    // Only what came whole is answered; a request that broke off must not look like a served one.
    if (/^transfer-encoding: chunked/im.test(head)) await expect.poll(body).toMatch(/(^|\r\n)0\r\n(.+\r\n)*\r\n$/);
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  onTestFinished(() => backend.close());
  const { port, httpsPort } = await startFront({
    backends: [backend.port],
    ...(limits === undefined ? {} : { limits }),
  });
  const client = await RawClient.ofTest(port);
  client.send(bytes);
  const response = await client.response();
  if (isRelayed(expected)) {
    expect(response.status).toBe(200);
    const reached = edge === "plain" ? port : httpsPort;
    const [requestLine = "", ...lines] = backend.heads[0]!.split("\r\n");
    const [method, target] = requestLine.split(" ");
    if (expected.method !== undefined) expect(method).toBe(expected.method);
    if (expected.target !== undefined) expect(target).toBe(expected.target);
    for (const [name, value] of Object.entries(expected.fields ?? {})) {
      const values = lines
        .filter((line) => line.toLowerCase().startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trim());
      const wanted = value === ":peer" ? "127.0.0.1" : value === ":port" ? String(reached) : value;
      expect(values, name).toEqual(wanted === undefined ? [] : [wanted]);
    }
    if (expected.body !== undefined) expect(payload(body())).toBe(expected.body);
    return;
  }
  expect(expected).toContain(response.status);
  expect(response.headers["connection"]?.toLowerCase()).toContain("close");
  await client.closed;
  // One that is found out in its body may have been begun, but the worker must not have seen it whole.
  if (backend.heads.length > 0) expect(body()).not.toMatch(/(^|\r\n)0\r\n(.+\r\n)*\r\n$/);
});

/** The payload of a body that came chunked or not. */
function payload(body: string): string {
  if (!/^[0-9a-f]+\r\n/i.test(body)) return body;
  let rest = body;
  let text = "";
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const start = rest.indexOf("\r\n") + 2;
    if (!(size > 0)) return text;
    text += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
  }
}

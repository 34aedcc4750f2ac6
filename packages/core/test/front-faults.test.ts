// FAULTS.md, the rows that a misbehaving backend can bring about; each with what must happen.
import { describe, expect, onTestFinished, test } from "vitest";
import { reset } from "../src/tls/reset.ts";
import { edge } from "./support/edge.ts";
import { freePorts } from "./support/free-ports.ts";
import { frontOver as frontOverAny } from "./support/front-over.ts";
import { answering, type BackendConnection, ok, rawBackend } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { startFront } from "./support/test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

// How clients come has nothing to do with how endpoints are reached.
const ways: readonly (readonly [string, boolean])[] = [
  ["endpoints in the clear", false],
  ...(edge === "plain" ? [["endpoints over TLS", true] as const] : []),
];

describe.each(ways)("%s", (_, secure) => {
  async function backend(script: (connection: BackendConnection) => void | Promise<void>) {
    const running = await rawBackend(script, { secure });
    onTestFinished(() => running.close());
    return running;
  }

  const frontOver: typeof frontOverAny = (script, options) => frontOverAny(script, { secure, ...options });

  const hangUp = async (connection: BackendConnection) => {
    await connection.head();
    connection.socket.destroy();
  };

  test("FAULTS 1: a refused connection is retried elsewhere, whatever the method", async () => {
    const good = await backend(answering(ok("fine")));
    const { port } = await startFront({ backends: [await freePorts(1), good.reach] });
    for (let n = 0; n < 4; n++) {
      expect((await exchange(port, get)).body.toString()).toBe("fine");
      expect((await exchange(port, post)).body.toString()).toBe("fine");
    }
  });

  test("FAULTS 2: a connection lost before the response is retried elsewhere if the method is idempotent", async () => {
    const bad = await backend(hangUp);
    const good = await backend(answering(ok("fine")));
    const { port } = await startFront({ backends: [bad.reach, good.reach] });
    for (let n = 0; n < 4; n++) expect((await exchange(port, get)).body.toString()).toBe("fine");
    expect(bad.heads.length).toBeGreaterThan(0);
  });

  test("FAULTS 3: a POST that may have been acted on gets one 502 and is never sent again", async () => {
    const first = await backend(hangUp);
    const second = await backend(hangUp);
    const { port } = await startFront({ backends: [first.reach, second.reach] });
    expect((await exchange(port, post)).status).toBe(502);
    expect(first.heads.length + second.heads.length).toBe(1);
  });

  test("FAULTS 4: a response that breaks off is visibly cut and not retried", async () => {
    for (const head of ["Content-Length: 10", "Transfer-Encoding: chunked"]) {
      const { port, backend } = await frontOver(async (connection) => {
        await connection.head();
        connection.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhel`);
        await new Promise((resolve) => setImmediate(resolve));
        reset(connection.socket);
      });
      const client = await RawClient.connect(port);
      client.send(get);
      await client.closed;
      expect(client.pending.toString()).not.toContain("\r\n0\r\n\r\n");
      expect(backend.heads).toHaveLength(1);
      client.destroy();
    }
  });

  test("FAULTS 5: lost during an upload: 502 for a POST; an idempotent one is repeated while its body is still held", async () => {
    const bad = async (connection: BackendConnection) => {
      await connection.head();
      reset(connection.socket);
    };
    const good = await backend(async (connection) => {
      await connection.head();
      await expect.poll(() => connection.rest().length).toBe(10);
      connection.send(ok(connection.rest().toString()));
    });
    const broken = await backend(bad);
    const { port } = await startFront({ backends: [broken.reach, good.reach] });
    const upload = async (method: string) => {
      const client = await RawClient.ofTest(port);
      client.send(`${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234`);
      await expect.poll(() => broken.heads.length).toBeGreaterThan(0);
      return client.send("56789").response();
    };
    expect((await upload("PUT")).body.toString()).toBe("0123456789");

    const onlyBroken = await backend(bad);
    const other = await startFront({ backends: [onlyBroken.reach] });
    const client = await RawClient.connect(other.port);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    expect((await client.response()).status).toBe(502);
    expect(onlyBroken.heads).toHaveLength(1);
    client.destroy();
  });

  test("FAULTS 5: an idempotent upload too long to be held is not repeated", async () => {
    const broken = await backend(async (connection) => {
      await connection.head();
      await expect.poll(() => connection.rest().length).toBeGreaterThan(100);
      reset(connection.socket);
    });
    const good = await backend(answering(ok("fine")));
    const { port } = await startFront({ backends: [broken.reach, good.reach], retry: { maxBodyBytes: 100 } });
    const client = await RawClient.connect(port);
    client.send(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${"x".repeat(500)}`);
    expect((await client.response()).status).toBe(502);
    client.destroy();
  });

  test("FAULTS 6: a pooled connection that was just closed is not noticed by an idempotent request, and not repeated for a POST", async () => {
    // Every connection serves one request and is then closed at the moment the second one arrives.
    const script = async (connection: BackendConnection) => {
      await connection.head();
      connection.send(ok("fine"));
      await connection.head();
      connection.socket.destroy();
    };
    const { port, backend } = await frontOver(script);
    const client = await RawClient.ofTest(port);
    for (let n = 0; n < 6; n++) expect((await client.send(get).response()).body.toString()).toBe("fine");
    expect((await client.send(post).response()).status).toBe(502);
    const served = backend.heads.filter((head) => head.startsWith("POST")).length;
    expect(served).toBe(1);
  });

  test("FAULTS 11: nobody there: the request waits, and gets 503 with Retry-After when the wait was in vain", async () => {
    const { port, update, endpoints } = await startFront({
      backends: [await freePorts(1)],
      balancer: { maxWaitMs: 300 },
    });
    update([]);
    const waited = await exchange(port, get);
    expect(waited.status).toBe(503);
    expect(Number(waited.headers["retry-after"])).toBeGreaterThan(0);
    const good = await rawBackend(answering(ok("fine")));
    onTestFinished(() => good.close());
    const client = await RawClient.ofTest(port);
    client.send(post);
    await new Promise((resolve) => setImmediate(resolve));
    update([{ ...endpoints[0]!, incarnation: 2, address: { kind: "tcp", host: "127.0.0.1", port: good.port } }]);
    expect((await client.response()).body.toString()).toBe("fine");
  });

  test("FAULTS 22: a backend that never answers: 504 at the deadline, no retry unless asked for", async () => {
    const { port, backend } = await frontOver(async (connection) => void (await connection.head()), {
      timeouts: { responseMs: 200 },
    });
    expect((await exchange(port, get)).status).toBe(504);
    expect(backend.heads).toHaveLength(1);

    const silent = await rawBackend(async (connection) => void (await connection.head()));
    onTestFinished(() => silent.close());
    const good = await rawBackend(answering(ok("fine")));
    onTestFinished(() => good.close());
    const asked = await startFront({
      backends: [silent.reach, good.reach],
      timeouts: { responseMs: 200 },
      retry: { on: ["timeout"] },
    });
    expect((await exchange(asked.port, get)).body.toString()).toBe("fine");
  });

  const badResponses: readonly (readonly [name: string, bytes: string])[] = [
    ["FAULTS 23: partial head then FIN", "HTTP/1.1 200 OK\r\nContent-Le"],
    ["FAULTS 24: not HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["FAULTS 24: two Content-Lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "FAULTS 24: Content-Length with Transfer-Encoding",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
    ],
    ["FAULTS 24: bad Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"],
    ["FAULTS 24: unknown Transfer-Encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nhello"],
    ["FAULTS 24: status 000", "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"],
    ["FAULTS 24: status 999", "HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n"],
    ["FAULTS 24: bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
    ["FAULTS 28: more headers than the limit", `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(500)}Content-Length: 0\r\n\r\n`],
    [
      "FAULTS 29: endless interim responses",
      `${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(300)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    ],
    [
      "BAD-INPUTS 68: an unasked 101",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
  ];

  for (const [name, bytes] of badResponses) {
    test(`${name} → 502`, async () => {
      const { port, inFlight, endpoints } = await frontOver(async (connection) => {
        await connection.head();
        connection.send(bytes);
        connection.socket.end();
      });
      const client = await RawClient.ofTest(port);
      client.send(get);
      let response = await client.response();
      while (response.status === 103) response = await client.response();
      expect(response.status).toBe(502);
      expect(inFlight(endpoints[0]!)).toBe(0);
    });
  }

  test("FAULTS 25: bytes behind a response are dropped with their connection, and never the next response", async () => {
    const { port, backend } = await frontOver(async (connection) => {
      await connection.head();
      connection.send(`${ok("one")}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled`);
      await connection.head();
      connection.send(ok("two"));
    });
    const client = await RawClient.ofTest(port);
    for (let n = 0; n < 3; n++) expect((await client.send(get).response()).body.toString()).toBe("one");
    expect(backend.connections).toBe(3);
  });

  for (const [name, head, body] of [
    ["FAULTS 26: a body shorter than its Content-Length", "Content-Length: 10", "short"],
    ["FAULTS 27: a missing last chunk", "Transfer-Encoding: chunked", "5\r\nhello\r\n"],
  ] as const) {
    for (const ending of ["FIN", "RST"] as const) {
      test(`${name}, then ${ending}: the client sees a cut`, async () => {
        const { port } = await frontOver(async (connection) => {
          await connection.head();
          connection.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`);
          await new Promise((resolve) => setImmediate(resolve));
          if (ending === "FIN") connection.socket.end();
          else reset(connection.socket);
        });
        const client = await RawClient.ofTest(port);
        await expect(client.send(get).response()).rejects.toThrow("connection ended");
      });
    }
  }

  test("FAULTS 30: an early 413 reaches the client during its upload", async () => {
    const { port } = await frontOver(async (connection) => {
      await connection.head();
      connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
      connection.socket.end();
    });
    const client = await RawClient.ofTest(port);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    client.send(Buffer.alloc(200_000));
    const response = await client.response();
    expect(response.status).toBe(413);
    expect(response.body.toString()).toBe("big");
    expect(response.headers["connection"]).toBe(edge === "h2" ? undefined : "close");
  });

  test("FAULTS 31: a client that aborts has its upstream cancelled, and the lease released", async () => {
    for (const when of ["waiting", "uploading", "reading"] as const) {
      let cancelled = false;
      const { port, inFlight, endpoints, backend } = await frontOver(async (connection) => {
        void connection.closed.then(() => {
          cancelled = true;
        });
        await connection.head();
        if (when === "reading") connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome");
      });
      const client = await RawClient.connect(port);
      client.send(when === "uploading" ? "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab" : get);
      await expect.poll(() => backend.heads.length).toBe(1);
      if (when === "reading") await client.until(() => client.pending.includes("some"));
      client.destroy();
      await expect.poll(() => cancelled).toBe(true);
      expect(inFlight(endpoints[0]!)).toBe(0);
    }
  });

  test("a 503 is tried elsewhere when it can be, and passed on when it cannot", async () => {
    const overloaded = await backend(
      answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nX-Why: full\r\n\r\nfull"),
    );
    const good = await backend(answering(ok("fine")));
    const both = await startFront({ backends: [overloaded.reach, good.reach] });
    for (let n = 0; n < 4; n++) expect((await exchange(both.port, get)).status).toBe(200);
    expect((await exchange(both.port, post)).status).toBeOneOf([200, 503]);
    const alone = await startFront({ backends: [overloaded.reach] });
    const response = await exchange(alone.port, get);
    expect(response.status).toBe(503);
    expect(response.headers["x-why"]).toBe("full");
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { readProxyHeader } from "../src/front/proxy-protocol.ts";
import type { Http1Reach } from "../src/model/http1-reach.ts";
import { eventually } from "./support/eventually.ts";
import { freePorts } from "./support/free-ports.ts";
import { RawClient } from "./support/raw-client.ts";
import { startFront } from "./support/test-front.ts";
import { startTlsFront } from "./support/tls-front.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** An HTTP server behind the PROXY protocol that answers with the number of the connection, and notes what was said of each. */
async function proxiedBackend() {
  const headers: Buffer[] = [];
  const open = new Set<Socket>();
  const app = createServer(((request, response) => {
    response.end(`${headers.length}:${(request.socket as Socket & { number?: number }).number}`);
  }) satisfies RequestListener);
  app.keepAliveTimeout = 60_000;
  const server = createTcpServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
    socket.once("data", (bytes: Buffer) => {
      const header = readProxyHeader(bytes);
      if (header.kind !== "header") throw new Error(`It begins with ${bytes.toString("hex")}`);
      headers.push(bytes.subarray(0, header.length));
      Object.assign(socket, { number: headers.length });
      socket.pause();
      socket.unshift(bytes.subarray(header.length));
      app.emit("connection", socket);
      socket.resume();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const reach: Http1Reach = {
    address: { kind: "tcp", host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    proxyProtocol: 2,
  };
  return { reach, headers, open };
}

test("each client has connections of its own, which say who it is, and end with it", async () => {
  const { reach, headers, open } = await proxiedBackend();
  const { port } = await startFront({ backends: [reach] });
  const clients = [await RawClient.connect(port), await RawClient.connect(port)];
  for (let n = 0; n < 3; n++) {
    for (const [at, client] of clients.entries()) {
      const { body } = await client.send(get).response();
      expect(body.toString()).toBe(`${n === 0 ? at + 1 : 2}:${at + 1}`);
    }
  }
  const peers = headers.map((bytes) => readProxyHeader(bytes)).map((read) => read.kind === "header" && read.peer);
  expect(peers).toEqual(clients.map(({ socket }) => ({ address: "127.0.0.1", port: socket.localPort })));
  // Where they came in.
  expect(headers.map((bytes) => bytes.readUInt16BE(26))).toEqual([port, port]);
  expect(open.size).toBe(2);
  clients[0]!.destroy();
  await eventually(() => open.size === 1, { what: "the connection of the one who left ends" });
  clients[1]!.destroy();
  await eventually(() => open.size === 0, { what: "the other one ends" });
});

test("a connection that rests is given up when its time is over, and its client gets another one", async () => {
  const { reach, headers, open } = await proxiedBackend();
  const { port } = await startFront({ backends: [reach], pool: { idleTimeoutMs: 50 } });
  const client = await RawClient.ofTest(port);
  expect((await client.send(get).response()).body.toString()).toBe("1:1");
  await eventually(() => open.size === 0, { what: "the connection that rests ends" });
  expect((await client.send(get).response()).body.toString()).toBe("2:2");
  expect(new Set(headers.map((bytes) => bytes.toString("hex"))).size).toBe(1);
});

/** A program of its own that listens, until the test ends. */
async function serving(command: string, args: (folder: string) => readonly string[], port: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lb-proxied-"));
  const child = spawn(command, args(folder), { stdio: "ignore" });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  const listens = async () => {
    const client = await RawClient.connect(port).catch(() => undefined);
    client?.destroy();
    return client !== undefined;
  };
  await eventually(listens, { what: `${command} listens` });
}

function nginx(port: number): Promise<void> {
  return serving(
    "nginx",
    (folder) => {
      const config = join(folder, "nginx.conf");
      const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (one) => `${one}_temp_path ${folder}/${one};`,
      );
      const said = "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port";
      writeFileSync(
        config,
        `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http { access_log off; ${temp.join(" ")}
server { listen 127.0.0.1:${port} proxy_protocol; location / { return 200 "${said}"; } } }`,
      );
      return ["-p", folder, "-c", config, "-e", `${folder}/error.log`];
    },
    port,
  );
}

function haproxy(port: number): Promise<void> {
  return serving(
    "haproxy",
    (folder) => {
      const config = join(folder, "config");
      writeFileSync(
        config,
        `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend app
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst_port] %[fc_pp_authority]"
`,
      );
      return ["-f", config, "-db"];
    },
    port,
  );
}

test("a real nginx and a real HAProxy take it, in the clear and encrypted", async () => {
  const ports = [await freePorts(1), await freePorts(1)] as const;
  await Promise.all([nginx(ports[0]), haproxy(ports[1])]);
  for (const backend of ports) {
    const reach: Http1Reach = { address: { kind: "tcp", host: "127.0.0.1", port: backend }, proxyProtocol: 2 };
    const { port, httpsPort } = await startTlsFront({}, { backends: [reach] });
    const plain = await RawClient.ofTest(port, { localAddress: "127.0.0.9" });
    const answers = [await plain.send(get).response(), await plain.send(get).response()];
    for (const { body } of answers) {
      expect(body.toString().trim()).toBe(`127.0.0.9 ${plain.socket.localPort} ${port}`);
    }
    const socket = connectTls({
      port: httpsPort,
      host: "127.0.0.1",
      servername: "a.example",
      rejectUnauthorized: false,
    });
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    const { body } = await RawClient.over(socket).send(get.replace("x", "a.example")).response();
    const authority = backend === ports[1] ? " a.example" : "";
    expect(body.toString()).toBe(`127.0.0.1 ${socket.localPort} ${httpsPort}${authority}`);
  }
});

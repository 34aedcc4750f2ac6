import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "./eventually.ts";
import { takePort } from "./free-ports.ts";
import type { HttpAnswer } from "./http-get.ts";
import type { Way } from "./tls-relay.ts";

/** Requests of HTTP/1.1 go on as streams of HTTP/2, WebSockets too (RFC 8441), translated by nghttpx, which nobody here wrote. */
export async function overHttp2(httpsPort: number): Promise<Way> {
  const { port, server } = await takePort();
  server.close();
  const gateway = spawn(
    "nghttpx",
    [
      ...[`--frontend=127.0.0.1,${port};no-tls`, `--backend=127.0.0.1,${httpsPort};;proto=h2;tls;sni=a.example`],
      ...["--insecure", "--workers=1", "--no-via", "--no-location-rewrite", "--no-server-rewrite", "--no-ocsp"],
      ...["--no-add-x-forwarded-proto", "--conf=/dev/null", "--errorlog-file=/dev/null", "--log-level=ERROR"],
    ],
    { stdio: "ignore" },
  );
  const exit = once(gateway, "exit");
  await eventually(() => accepts(port), { what: "nghttpx listens" });
  return {
    port,
    close: async () => {
      gateway.kill("SIGKILL");
      await exit;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** The gateway says that it got no answer, where a client of the port itself would have seen its connection or stream end. */
export function isByGateway({ status, headers }: Pick<HttpAnswer, "status" | "headers">): boolean {
  return status >= 502 && headers["server"] === "nghttpx";
}

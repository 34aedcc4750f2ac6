import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A path on which a server listens, until the test ends, that speaks whatever `speak` does. */
export async function speaking(
  speak: (socket: Socket) => void,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
  const path = join(directory, "intake");
  const sockets: Socket[] = [];
  const server = createServer(options, (socket) => {
    sockets.push(socket.on("error", () => {}));
    speak(socket);
  });
  server.listen(path);
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return path;
}

import { onTestFinished } from "vitest";
import { type BackendConnection, rawBackend } from "./raw-backend.ts";
import { startFront, type TestFrontOptions } from "./test-front.ts";

/** A front over one backend that does what the script says. */
export async function frontOver(
  script: (connection: BackendConnection) => void | Promise<void>,
  { secure = false, ...options }: Omit<TestFrontOptions, "backends"> & { readonly secure?: boolean } = {},
) {
  const backend = await rawBackend(script, { secure });
  onTestFinished(() => backend.close());
  return { backend, ...(await startFront({ ...options, backends: [backend.reach] })) };
}

/** Offers a WebSocket. */
export const upgrade = (more = "") =>
  `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

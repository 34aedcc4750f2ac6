import { connect, type Socket } from "node:net";
import type { Clock } from "../../model/clock.ts";
import { LbError } from "../../model/errors.ts";
import type { InstancePort } from "./own-port.ts";

/** An app that is busy, or says nothing to what it does not know, is not judged by it; in milliseconds. */
const patienceMs = 1_000;

/** Safe, and with a path that any program can read (`*` makes no URL behind a host). */
const question =
  "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: lb-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";

const beginning = "HTTP/1.";
const maxShownBytes = 20;

/**
 * Asks whoever listens in a process that the program has started: the front speaks HTTP/1.1 in the clear with instances,
 * and anything else would be ready and answer every request with 502.
 *
 * @throws LbError `LB_APP_PROTOCOL`: it surely speaks something else
 */
export async function assureHttp1(at: InstancePort, clock: Clock): Promise<void> {
  const answer = await answerAt(at, clock);
  const spoken = answer.length > 0 ? protocolOf(answer) : (await speaksTls(at, clock)) ? "speaks TLS only" : undefined;
  if (spoken === undefined) return;
  throw new LbError(
    "LB_APP_PROTOCOL",
    `What the program has listening on ${at.host}:${at.port} ${spoken}. Instances are spoken to in HTTP/1.1 without TLS: give it a server of that.`,
  );
}

/** Undefined: HTTP/1.x, or the beginning of it. */
function protocolOf(answer: Buffer): string | undefined {
  const text = answer.toString("latin1", 0, maxShownBytes);
  if (text.startsWith(beginning) || beginning.startsWith(text)) return undefined;
  // A frame of settings is the first that a server of HTTP/2 sends (RFC 9113 §3.4).
  if (answer.length >= 9 && answer[3] === 4 && answer.readUInt32BE(5) === 0) return "speaks HTTP/2 only";
  // An alert, as some answer what is no handshake (RFC 8446 §6).
  if (answer[0] === 0x15 && answer[1] === 3) return "speaks TLS only";
  return `is no HTTP server: it says ${JSON.stringify(text)}`;
}

/** What comes first, which may be nothing. */
function answerAt(at: InstancePort, clock: Clock): Promise<Buffer> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = connect(at);
    const decided = within(socket, clock, () => resolve(answer));
    socket.on("data", (bytes: Buffer) => {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length >= maxShownBytes) decided();
    });
    socket.once("connect", () => socket.write(question));
  });
}

/** Whether it takes a handshake, whatever its certificate. */
function speaksTls(at: InstancePort, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    let secure = false;
    // Loaded by whoever has to ask, and that is nobody whose app answers.
    const socket = process.getBuiltinModule("node:tls").connect({ ...at, rejectUnauthorized: false });
    const decided = within(socket, clock, () => resolve(secure));
    socket.once("secureConnect", () => {
      secure = true;
      decided();
    });
  });
}

/** Calls `done` when told, when the other side closes, or when its time is over. Returns the call that tells. */
function within(socket: Socket, clock: Clock, done: () => void): () => void {
  const timer = clock.after(patienceMs, () => socket.destroy());
  socket.once("error", () => {});
  socket.once("end", done);
  socket.once("close", () => {
    timer.cancel();
    done();
  });
  return () => {
    done();
    // With a FIN: what its program writes meanwhile fails for nobody.
    socket.end();
    socket.resume();
  };
}

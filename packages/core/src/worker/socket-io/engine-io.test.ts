import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { engineIo } from "./engine-io.ts";

const prefix = "p".repeat(32);
const request = {} as IncomingMessage;

/** As of Engine.IO 6: a base class begins sessions. */
class BaseServer {
  generateId(_request: IncomingMessage): unknown {
    return "id";
  }
  handshake(): unknown {
    return this.generateId(request);
  }
}
class Server extends BaseServer {}

test("every server gives ids that begin with the prefix, one with a generateId of its own class too", () => {
  const { loaded } = engineIo(prefix);
  loaded({ Server }, undefined);
  loaded({ Server }, undefined);
  class Own extends Server {
    override generateId(): unknown {
      return "own";
    }
  }
  expect(new Server().handshake()).toBe(`${prefix}id`);
  expect(new Own().handshake()).toBe(`${prefix}own`);
  const changed = new Server();
  changed.handshake();
  changed.generateId = () => "changed";
  expect(changed.handshake()).toBe(`${prefix}changed`);
});

test("so does that of Engine.IO 3, which is what its module exports", () => {
  class Old {
    generateId(_request: IncomingMessage): unknown {
      return "old";
    }
    handshake(): unknown {
      return this.generateId(request);
    }
  }
  engineIo(prefix).loaded(Old, undefined);
  expect(new Old().handshake()).toBe(`${prefix}old`);
});

test("what is no server is left alone", () => {
  const { loaded } = engineIo(prefix);
  for (const exports of [undefined, null, 1, {}, () => {}, { Server: {} }, class Other {}]) loaded(exports, undefined);
});

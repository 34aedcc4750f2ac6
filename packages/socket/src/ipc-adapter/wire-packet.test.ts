import { createServer } from "node:http";
import { Server } from "socket.io";
import { expect, it } from "vitest";
import {
  decodeWire,
  type Encoder,
  eventType,
  type Parser,
  WireEncoder,
  WirePacket,
  withOffset,
} from "./wire-packet.ts";

// Socket.IO's own parser, as its servers have it.
const { encoder, _parser: parser } = new Server(createServer()) as unknown as { encoder: Encoder; _parser: Parser };

it("an offset behind the last argument is one more argument, binary or not, in any namespace", () => {
  for (const nsp of ["/", "/other"]) {
    for (const data of [["event"], ["event", "]"], ["event", { a: [1] }, Buffer.from([1, 2])]]) {
      const [text, ...parts] = encoder.encode({ type: eventType, nsp, data });
      const decoded = decodeWire([withOffset(text as string, "1-2-1.1"), ...parts], parser);
      expect(decoded.data).toEqual([...data, "1-2-1.1"]);
      expect(decoded.nsp).toBe(nsp);
    }
  }
});

it("a packet that is encoded already goes out as it is, and is decoded when somebody looks", () => {
  const wire = encoder.encode({ type: eventType, nsp: "/", data: ["event", 1] });
  const packet = new WirePacket(wire, parser);
  expect(new WireEncoder(encoder).encode(packet)).toEqual(wire);
  expect(packet.data).toEqual(["event", 1]);
  expect(() => decodeWire(['51-["event",{"_placeholder":true,"num":0}]'], parser)).toThrow("not complete");
});

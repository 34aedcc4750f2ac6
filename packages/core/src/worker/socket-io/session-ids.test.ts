import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { type EngineServer, prefixSessionIds } from "./session-ids.ts";

const prefix = "p".repeat(32);

/** As Engine.IO's server: the method is its prototype's. */
class Engine {
  readonly salt = "salt";
  generateId(_request: IncomingMessage): unknown {
    return `made with ${this.salt}`;
  }
}

function engine(): EngineServer {
  const made = new Engine();
  prefixSessionIds(made, prefix);
  return made;
}

const request = { url: "/socket.io/" } as IncomingMessage;

describe("session ids begin with the prefix", () => {
  test("of Engine.IO's own", () => {
    expect(engine().generateId(request)).toBe(`${prefix}made with salt`);
  });

  test("of the app's, set before or after", () => {
    const before = new Engine();
    before.generateId = () => "before";
    prefixSessionIds(before, prefix);
    expect(before.generateId(request)).toBe(`${prefix}before`);
    const after = engine();
    after.generateId = ({ url }) => `${url}:1`;
    expect(after.generateId(request)).toBe(`${prefix}/socket.io/:1`);
  });

  test("which may be numbers, and come later", async () => {
    const one = engine();
    one.generateId = () => 7;
    expect(one.generateId(request)).toBe(`${prefix}7`);
    one.generateId = async () => "later";
    expect(await one.generateId(request)).toBe(`${prefix}later`);
    one.generateId = () => Promise.reject(new Error("none today"));
    await expect(one.generateId(request)).rejects.toThrow("none today");
  });

  test("once, however often it is asked for, and where the app wraps what it finds", () => {
    const one = engine();
    prefixSessionIds(one, prefix);
    const found = one.generateId.bind(one);
    one.generateId = (given) => found(given);
    expect(one.generateId(request)).toBe(`${prefix}made with salt`);
  });
});

test("what the app's own throws, it throws", () => {
  const one = engine();
  one.generateId = () => {
    throw new Error("none");
  };
  expect(() => one.generateId(request)).toThrow("none");
});

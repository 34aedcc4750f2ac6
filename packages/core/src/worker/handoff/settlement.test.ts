import type { ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { HandedConnection } from "./handed-connection.ts";
import { Settlement } from "./settlement.ts";

function set() {
  const told: number[] = [];
  const settlement = new Settlement((id) => told.push(id));
  const connections = new Set<HandedConnection>();
  return {
    told,
    ask: (id: number) => settlement.ask(id, connections),
    /** With `brings`, its first request is still to be read; without, that is over. */
    connect(brings = false) {
      const connection = new HandedConnection(new Socket());
      connection.used = !brings;
      connections.add(connection);
      return {
        begin() {
          connection.begin({} as ServerResponse);
        },
        end() {
          connection.end();
          settlement.ended(connection);
        },
        upgrade() {
          connection.begin(undefined);
          settlement.upgraded(connection);
        },
        close() {
          connections.delete(connection);
          connection.closed();
          settlement.closed(connection);
        },
      };
    },
  };
}

test("with nothing in flight it is told at once", () => {
  const { told, ask, connect } = set();
  connect();
  ask(1);
  expect(told).toEqual([1]);
});

test("what begins later is not waited for, on the same connection or on another", () => {
  const { told, ask, connect } = set();
  const [one, other] = [connect(), connect()];
  one.begin();
  one.begin();
  ask(1);
  one.begin();
  other.begin();
  other.end();
  one.end();
  expect(told).toEqual([]);
  one.end();
  expect(told).toEqual([1]);
  one.end();
  expect(told).toEqual([1]);
});

test("a request that the connection brought counts before it is read", () => {
  const { told, ask, connect } = set();
  const connection = connect(true);
  ask(1);
  connection.begin();
  expect(told).toEqual([]);
  connection.end();
  expect(told).toEqual([1]);
});

test("nobody waits for tunnels: those there are, and what becomes one", () => {
  const { told, ask, connect } = set();
  connect().upgrade();
  const [pipelined, brought] = [connect(), connect(true)];
  pipelined.begin();
  ask(1);
  brought.upgrade();
  pipelined.upgrade();
  expect(told).toEqual([]);
  pipelined.end();
  expect(told).toEqual([1]);
});

test("a connection's end is that of its requests; who asks again waits for all", () => {
  const { told, ask, connect } = set();
  const [one, other] = [connect(), connect()];
  one.begin();
  ask(1);
  other.begin();
  ask(2);
  one.close();
  expect(told).toEqual([]);
  other.close();
  expect(told).toEqual([1, 2]);
});

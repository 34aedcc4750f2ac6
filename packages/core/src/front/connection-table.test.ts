import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { defaultFrontSettings } from "../../test/support/default-settings.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { MemoryClient } from "../../test/support/memory-proxy.ts";
import { ConnectionTable, type PublicConnection } from "./connection-table.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import type { FrontSettings } from "./settings.ts";

class Opened implements PublicConnection {
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly listener = 0;
  readonly localPort: number;
  told: string[] = [];

  constructor(remoteAddress: string, encrypted: boolean, localPort: number) {
    this.remoteAddress = remoteAddress;
    this.encrypted = encrypted;
    this.localPort = localPort;
  }

  destroy(): void {
    this.told.push("destroy");
  }

  drain(): void {
    this.told.push("drain");
  }
}

interface TableOptions extends Partial<Omit<FrontSettings, "limits">> {
  readonly limits?: Partial<FrontSettings["limits"]>;
}

const plain = { listener: 0, isUnix: false, localPort: 80, encrypted: false };
const tls = { listener: 1, isUnix: false, localPort: 443, encrypted: true };

function table({ limits, ...settings }: TableOptions = {}, elsewhere = () => 0) {
  const open: Opened[] = [];
  const told: string[] = [];
  const connections = new ConnectionTable<Opened>({
    settings: {
      ...defaultFrontSettings,
      listeners: [],
      ...settings,
      limits: { ...defaultFrontSettings.limits, maxConnections: 3, ...limits },
    },
    wheel: new DeadlineWheel(new ManualClock()),
    elsewhere,
    open: (_socket, { peerAddress, encrypted, localPort }) => {
      const opened = new Opened(peerAddress, encrypted, localPort);
      open.push(opened);
      return opened;
    },
    observer: {
      connectionOpened: ({ remoteAddress }) => told.push(`opened ${remoteAddress}`),
      connectionClosed: (_client, wasTunnel) => told.push(wasTunnel ? "closed tunnel" : "closed"),
      connectionRefused: ({ reason, limit }) => told.push(`refused ${reason} ${limit}`),
    },
  });
  const from = (remoteAddress: string | undefined, fd = 20) =>
    Object.assign(new MemoryClient(), { remoteAddress, _handle: { fd }, destroySoon() {} });
  const admit = (address: string | undefined, listener = plain, fd?: number) => {
    const socket = from(address, fd);
    connections.admit(socket as unknown as Socket, listener);
    return socket;
  };
  return { connections, open, told, admit, from };
}

describe("the table of connections", () => {
  test("is one for all listeners: each knows its own, and the limit is for all", () => {
    const { connections, open, told, admit } = table();
    admit("10.0.0.1");
    admit("::ffff:10.0.0.2", tls);
    expect(open.map(({ remoteAddress, encrypted, localPort }) => [remoteAddress, encrypted, localPort])).toEqual([
      ["10.0.0.1", false, 80],
      ["10.0.0.2", true, 443],
    ]);
    admit("10.0.0.3");
    expect(admit("10.0.0.4", tls).written).toMatch(/^HTTP\/1\.1 503 /);
    expect([connections.size, told.at(-1)]).toEqual([3, "refused connections 3"]);
    connections.closed(open[0]!, false);
    expect(admit("10.0.0.4", tls).written).toBe("");
  });

  test("counts connections that are open elsewhere", () => {
    const { told, admit } = table({}, () => 3);
    admit("10.0.0.1");
    expect(told).toEqual(["refused connections 3"]);
  });

  test("refuses more of one address with 429, counts those that came back, and forgets those that closed", () => {
    const { connections, open, told, admit, from } = table({ limits: { maxConnectionsPerAddress: 2 } });
    admit("10.0.0.1");
    connections.readmit(from("10.0.0.1") as unknown as Socket, plain);
    expect(admit("10.0.0.1").written).toMatch(/^HTTP\/1\.1 429 /);
    admit("10.0.0.2");
    connections.closed(open[1]!, false);
    connections.closed(open[1]!, false);
    admit("10.0.0.1");
    expect(admit("10.0.0.1").written).not.toBe("");
    expect(told.filter((line) => line.startsWith("refused"))).toEqual([
      "refused connections-per-address 2",
      "refused connections 3",
    ]);
  });

  test("FAULT 33: leaves some descriptors to the process", () => {
    const { told, admit } = table({ maxDescriptor: 100 });
    admit("10.0.0.1", plain, 99);
    admit("10.0.0.1", plain, 100);
    expect(told).toEqual(["opened 10.0.0.1", "refused descriptors 100"]);
  });

  test("drops what was reset before it could be opened", () => {
    const { connections, admit, from } = table();
    expect(admit(undefined).ending).toBe("destroyed");
    const back = from(undefined);
    expect([connections.readmit(back as unknown as Socket, plain), back.ending]).toEqual([undefined, "destroyed"]);
    expect(connections.size).toBe(0);
  });

  test("is quiet when only tunnels are left, and says whenever fewer are", () => {
    const { connections, open, told, admit } = table();
    admit("10.0.0.1");
    admit("10.0.0.2");
    const seen: boolean[] = [];
    const leave = connections.onChange(() => seen.push(connections.quiet));
    connections.drain();
    connections.tunnelOpened();
    connections.closed(open[0]!, false);
    leave();
    connections.closed(open[1]!, true);
    expect([seen, connections.size, told.slice(2)]).toEqual([[false, true], 0, ["closed", "closed tunnel"]]);
    expect(open[0]!.told).toEqual(["drain"]);
  });
});

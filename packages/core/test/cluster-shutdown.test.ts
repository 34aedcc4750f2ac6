import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { clustersToEnd } from "./support/clusters-to-end.ts";
import { refuses } from "./support/edge.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { PrimaryProcess, startPrimary } from "./support/primary-process.ts";
import { allGone, childrenOf, descendantsOf } from "./support/processes.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const { withOptions, inFlight, becomes } = clustersToEnd(mode);

  describe.each(["SIGTERM", "SIGINT"] as const)("%s to the primary", (signal) => {
    it("FAULTS 35: drains: what is in flight finishes, nothing new is accepted, the exit code is 0", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({}));
      const slow = [httpGet(`${up.url}/slow?ms=1500`), httpGet(`${up.url}/stream?ms=1500`)];
      const direct = httpGet(`http://127.0.0.1:${up.instances[0]!.port}/slow?ms=1500`);
      await inFlight(primary, 2);
      primary.kill(signal);
      await eventually(() => refuses(up.port), { what: "connections are refused" });
      expect((await Promise.all(slow)).map(({ body }) => body)).toEqual(["slow but sure", "first last"]);
      expect(await direct).toMatchObject({ body: "slow but sure", headers: { connection: "close" } });
      expect(await primary.exited).toEqual({ code: 0, signal: null });
      await allGone(
        up.instances.map(({ pid }) => pid!),
        0,
      );
    });

    it("FAULTS 36: a second one is immediate", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ drainTimeoutMs: 60_000 }));
      const cut = becomes(`${up.url}/slow?ms=60000`);
      await inFlight(primary, 1);
      primary.kill(signal);
      await eventually(() => refuses(up.port), { what: "connections are refused" });
      primary.kill(signal);
      expect(await primary.exited).toEqual({ code: null, signal });
      expect(await cut).toBe("cut");
      await allGone(up.instances.map(({ pid }) => pid!));
    });
  });

  it("ends with reloads and a restart waiting for their turn, and takes no more of them", async () => {
    const { primary, up } = await startPrimary("app.ts", withOptions({ drainTimeoutMs: 2_000 }));
    const slow = httpGet(`${up.url}/slow?ms=1500`);
    await inFlight(primary, 1);
    primary.kill("SIGHUP");
    await primary.event("reload", ({ step }) => step === "starting");
    primary.kill("SIGHUP");
    const restart = primary.operate("restart", 1).catch((error) => error);
    const all = descendantsOf(primary.pid);
    primary.kill("SIGTERM");
    const operations = [["scale", 3], ["reload"], ["restart", 2], ["drain", 1], ["resume", 1]] as const;
    expect(await restart).toMatchObject({ code: "LB_CLOSED" });
    const late = operations.map(([what, argument]) => primary.operate(what, argument).catch(({ code }) => code));
    expect(await Promise.all(late)).toEqual(operations.map(() => "LB_CLOSED"));
    await slow;
    expect(await primary.exited).toEqual({ code: 0, signal: null });
    await allGone(all, 1_000);
  });

  describe("a drain", () => {
    it("ends at its deadline, whatever is still open", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ drainTimeoutMs: 300 }));
      const cut = becomes(`${up.url}/slow?ms=60000`);
      await inFlight(primary, 1);
      primary.kill("SIGTERM");
      expect(await primary.exited).toEqual({ code: 0, signal: null });
      expect(await cut).toBe("cut");
      await allGone(
        up.instances.map(({ pid }) => pid!),
        0,
      );
    });

    it("closes idle connections to an instance's own port, used and unused", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      const { port } = up.instances[0]!;
      const [unused, used] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
      onTestFinished(() => {
        for (const socket of [unused, used]) socket.destroy();
      });
      const closed = [unused, used].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      unused.resume();
      used.write("GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n");
      await new Promise((resolve) => used.once("data", resolve));
      await primary.close();
      await Promise.all(closed);
      expect(await primary.exited).toEqual({ code: 0, signal: null });
    });

    it("ends a worker that holds something open, by SIGTERM, without waiting for the deadline", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, drainTimeoutMs: 60_000 }));
      await httpGet(`${up.url}/hold`);
      await primary.close();
      expect(await primary.event("exit")).toMatchObject({ reason: "stopped", signal: "SIGTERM" });
    });

    it.each([
      [{}, "heard SIGTERM\n"],
      [{ stopSignal: "SIGINT" }, "heard SIGINT\n"],
      [{ stopSignal: "message" }, "heard shutdown\n"],
    ])("%j: calls the app's handler of that, and of nothing else", async (options, heard) => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, ...options }));
      await httpGet(`${up.url}/handlers`);
      await primary.close();
      expect(primary.stdout).toBe(heard);
    });

    it("calls the app's own handler of SIGTERM", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, drainTimeoutMs: 60_000 }));
      await httpGet(`${up.url}/cleanup`);
      await primary.close();
      expect(await primary.event("exit")).toMatchObject({ reason: "stopped", exitCode: 0, signal: null });
      expect(primary.stdout).toBe("cleaned up 1\n");
    });

    it("leaves it to that handler to close the server, which is told of no error", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, drainTimeoutMs: 60_000 }));
      await httpGet(`${up.url}/close`);
      await primary.close();
      expect(await primary.event("exit")).toMatchObject({ reason: "stopped", exitCode: 0, signal: null });
      expect(primary.stdout).toBe("closed\n");
    });

    it("closes the app's server, as the app sees it, after the last answer and not before", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      const slow = httpGet(`${up.url}/log?ms=500`);
      await inFlight(primary, 1);
      process.kill(up.instances[0]!.pid!, "SIGTERM");
      expect(await slow).toMatchObject({ status: 200 });
      await primary.event("exit");
      expect(primary.stdout).toBe("answered\nclosed\n");
    });

    it("kills a worker that is stopped and cannot drain", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, drainTimeoutMs: 100 }));
      process.kill(up.instances[0]!.pid!, "SIGSTOP");
      await primary.close();
      expect(await primary.event("exit")).toMatchObject({ reason: "stopped", signal: "SIGKILL" });
    });

    it("leaves the signals to the program when told so", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ signals: false }));
      primary.kill("SIGTERM");
      expect(await primary.exited).toEqual({ code: null, signal: "SIGTERM" });
      await allGone(up.instances.map(({ pid }) => pid!));
    });
  });

  describe("Ctrl-C in a terminal, which signals the whole group", () => {
    it("drains like a SIGINT to the primary alone", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({}));
      const slow = httpGet(`${up.url}/slow?ms=1000`);
      await inFlight(primary, 1);
      process.kill(-primary.pid, "SIGINT");
      expect(await slow).toMatchObject({ body: "slow but sure" });
      expect(await primary.exited).toEqual({ code: 0, signal: null });
    });

    it("ends a cluster that is still starting, by that signal", async () => {
      const primary = new PrimaryProcess("broken.ts", { args: ["hangs"], ...withOptions({}) });
      await eventually(() => childrenOf(primary.pid).length === 3, { what: "two workers run, and the guard" });
      const workers = childrenOf(primary.pid);
      process.kill(-primary.pid, "SIGINT");
      expect(await primary.exited).toEqual({ code: null, signal: "SIGINT" });
      await allGone(workers);
    });
  });
});

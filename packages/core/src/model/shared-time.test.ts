import { describe, expect, it } from "vitest";
import { SharedTime } from "./shared-time.ts";

/** A machine whose clocks go on by themselves, and pause or jump where the test says so. */
class Machine {
  monotonicMs = 1_000;
  offsetMs = 1_700_000_000_000;
  /** What passes with each look at the calendar, behind its back. */
  pausesMs: number[] = [];

  readonly wallClock = () => {
    const shown = Math.floor(this.monotonicMs + this.offsetMs);
    this.monotonicMs += this.pausesMs.shift() ?? 0;
    return shown;
  };
  readonly machineTime = () => this.monotonicMs;
}

describe("the time that processes share", () => {
  it("is the calendar's, as exactly as the machine's clock goes on", () => {
    const machine = new Machine();
    const time = new SharedTime(machine.wallClock, machine.machineTime);
    const began = time.now();
    machine.monotonicMs += 0.25;
    expect(time.wall(time.now()) - time.wall(began)).toBeCloseTo(0.25, 3);
    expect(time.wall(began)).toBe(1_700_000_001_000);
  });

  it("follows the calendar when it is set, and not when it is adjusted", () => {
    const machine = new Machine();
    const time = new SharedTime(machine.wallClock, machine.machineTime);
    machine.offsetMs += 4;
    expect(time.wall(1_000)).toBe(1_700_000_001_000);
    machine.offsetMs += 60_000;
    expect(time.wall(1_000)).toBe(1_700_000_061_004);
  });

  it("takes no pause of the process for a step of the calendar", () => {
    const machine = new Machine();
    machine.pausesMs = [40, 40];
    const time = new SharedTime(machine.wallClock, machine.machineTime);
    const began = time.wall(1_000);
    expect(began).toBe(1_700_000_001_000);
    machine.pausesMs = [25];
    expect(time.wall(1_000)).toBe(began);
    expect(time.wall(1_000)).toBe(began);
  });

  it("has one even where it cannot be read undisturbed", () => {
    const machine = new Machine();
    machine.pausesMs = Array.from({ length: 100 }, () => 10);
    const time = new SharedTime(machine.wallClock, machine.machineTime);
    expect(time.wall(5_000) - machine.offsetMs).toBe(4_990);
  });
});

import { describe, expect, test } from "vitest";
import { equalCandidates, FakeCandidate, fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { clients, slotsOf, tally } from "../../test/support/request-keys.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { OptionError } from "../model/errors.ts";
import { boundedLoad } from "./bounded-load.ts";
import type { HashOptions } from "./hash-options.ts";
import { maglev } from "./maglev.ts";
import { rendezvous } from "./rendezvous.ts";

/** What all strategies that hash promise. */
describe.each([
  ["rendezvous", rendezvous],
  ["maglev", maglev],
  ["boundedLoad", boundedLoad],
] as const)("%s", (factory, make: (options?: HashOptions) => ReturnType<typeof rendezvous>) => {
  const keys = clients(2_000);

  test("one key, one endpoint: in every picker and whatever the order of the candidates", () => {
    const all = fakeCandidates([1, 2, 1, 0.5, 3]);
    const once = slotsOf(make().picker(all), keys);
    expect(slotsOf(make().picker(all), keys)).toEqual(once);
    expect(slotsOf(make().picker(nonEmpty(all.toReversed())), keys)).toEqual(once);
    expect(new Set(once).size).toBe(5);
  });

  test("a restarted endpoint inherits the keys of its slot", () => {
    const all = equalCandidates(5);
    const before = slotsOf(make().picker(all), keys);
    const restarted = all.map((candidate) =>
      candidate.endpoint.slot === 2 ? new FakeCandidate({ slot: 2, incarnation: 7 }) : candidate,
    );
    expect(slotsOf(make().picker(nonEmpty(restarted)), keys)).toEqual(before);
  });

  test("the second choice of a key is the same each time, and differs between keys of one endpoint", () => {
    const picker = make().picker(equalCandidates(5));
    const seconds = new Set<number>();
    for (const request of keys.slice(0, 300)) {
      const first = picker.pick(request).endpoint;
      const second = picker.pick(request, new Set([first])).endpoint;
      expect(picker.pick(request, new Set([first])).endpoint).toBe(second);
      if (first.slot === 0) seconds.add(second.slot);
    }
    expect(seconds).toEqual(new Set([1, 2, 3, 4]));
  });

  test("weights are shares of the keys", () => {
    const counts = tally(slotsOf(make().picker(fakeCandidates([1, 2, 3, 4])), clients(20_000)), 4);
    for (const [slot, count] of counts.entries()) {
      const share = (slot + 1) / 10;
      // Five standard deviations, and half a per cent for the table.
      expect(Math.abs(count - 20_000 * share)).toBeLessThan(5 * Math.sqrt(20_000 * share * (1 - share)) + 100);
    }
  });

  test("`key` says what is hashed", () => {
    const picker = make({ key: (request) => request.header?.("x-user") }).picker(equalCandidates(8));
    const of = (user: string) => ({ clientAddress: `10.0.0.${Math.trunc(user.length)}`, header: () => user });
    const first = picker.pick(of("ada"));
    for (const address of ["10.1.1.1", "10.1.1.2", "10.1.1.3"]) {
      expect(picker.pick({ clientAddress: address, header: () => "ada" })).toBe(first);
    }
    const users = Array.from({ length: 100 }, (_, at) => of(`user ${at}`));
    expect(new Set(slotsOf(picker, users)).size).toBe(8);
  });

  test.each([undefined, ""])("requests whose key is %j are spread by weight", (missing) => {
    const strategy = make({ key: () => missing, random: seededRandom(8) });
    const requests = new Array(8_000).fill({ clientAddress: "10.0.0.1" });
    const counts = tally(slotsOf(strategy.picker(fakeCandidates([1, 3])), requests), 2);
    expect(Math.abs(counts[1]! - 6_000)).toBeLessThan(5 * Math.sqrt(8_000 * 0.75 * 0.25) + 40);
  });

  test("`nameOf` makes balancers with different lists agree", () => {
    const address = { kind: "tcp", host: "10.0.0.9", port: 80 } as const;
    const named = (slot: number, port: number) => {
      const candidate = new FakeCandidate({ slot });
      return Object.assign(candidate, { endpoint: { ...candidate.endpoint, address: { ...address, port } } });
    };
    const nameOf: HashOptions["nameOf"] = ({ address }) =>
      address.kind === "tcp" ? `${address.host}:${address.port}` : address.path;
    const here = make({ nameOf }).picker([named(0, 81), named(1, 82), named(2, 83)]);
    const there = make({ nameOf }).picker([named(0, 83), named(1, 81), named(2, 82)]);
    const portOf = ({ endpoint }: { endpoint: { address: object } }) => (endpoint.address as { port: number }).port;
    for (const request of keys.slice(0, 200)) expect(portOf(there.pick(request))).toBe(portOf(here.pick(request)));
  });

  test("options that are not functions are refused by name", () => {
    const bad = "x-user" as unknown as () => string;
    expect(() => make({ key: bad })).toThrow(OptionError);
    expect(() => make({ key: bad })).toThrow(`"${factory}.key"`);
    expect(() => make({ nameOf: bad })).toThrow(`"${factory}.nameOf"`);
  });
});

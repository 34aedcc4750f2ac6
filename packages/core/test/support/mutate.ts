import type { Random } from "../../src/model/random.ts";

export function integerBelow(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

export function pick<T>(list: readonly T[], random: Random): T {
  return list[integerBelow(list.length, random)]!;
}

type Mutation = (text: string, dictionary: readonly string[], random: Random) => string;

const mutations: readonly Mutation[] = [
  function flipBits(text, _, random) {
    const at = integerBelow(text.length, random);
    const flipped = (text.charCodeAt(at) ^ (1 << integerBelow(8, random))) & 0xff;
    return splice(text, at, at + 1, String.fromCharCode(flipped));
  },
  function replaceOctet(text, _, random) {
    const at = integerBelow(text.length, random);
    return splice(text, at, at + 1, String.fromCharCode(integerBelow(256, random)));
  },
  function insertSeparator(text, _, random) {
    const at = integerBelow(text.length + 1, random);
    return splice(text, at, at, pick(["\r", "\n", "\0", " ", "\t", ":", ",", ";", "\r\n"], random));
  },
  function insertToken(text, dictionary, random) {
    const at = integerBelow(text.length + 1, random);
    return splice(text, at, at, pick(dictionary, random));
  },
  function insertLine(text, dictionary, random) {
    const starts = lineStarts(text);
    const at = starts.length === 0 ? 0 : pick(starts, random);
    return splice(text, at, at, pick(dictionary, random));
  },
  function removeOctets(text, _, random) {
    const at = integerBelow(text.length, random);
    return splice(text, at, at + 1 + integerBelow(4, random), "");
  },
  function repeatLine(text, _, random) {
    const starts = lineStarts(text);
    if (starts.length < 2) return text + text;
    const from = integerBelow(starts.length - 1, random);
    const at = pick(starts, random);
    return splice(text, at, at, text.slice(starts[from], starts[from + 1]));
  },
  function changeCase(text, _, random) {
    const at = integerBelow(text.length, random);
    const end = at + 1 + integerBelow(12, random);
    const part = text.slice(at, end);
    return splice(text, at, end, random() < 0.5 ? part.toUpperCase() : part.toLowerCase());
  },
  function changeNumber(text, _, random) {
    const digits = [...text.matchAll(/[0-9]/g)];
    if (digits.length === 0) return text;
    const at = pick(digits, random).index;
    return splice(text, at, at + 1, pick(["0", "1", "9", "10", "-1", "+1", "", "0x1", "1 ", "1.0", "1e1"], random));
  },
  function truncate(text, _, random) {
    return text.slice(0, 1 + integerBelow(text.length, random));
  },
];

/** `text`, latin1, changed at one to three places. */
export function mutate(text: string, dictionary: readonly string[], random: Random): string {
  let mutant = text;
  for (let count = 1 + integerBelow(3, random); count > 0; count--) {
    if (mutant !== "") mutant = pick(mutations, random)(mutant, dictionary, random);
  }
  // Upper-casing ÿ or µ leaves latin1.
  return mutant.replace(/[^\0-\xff]/g, "?");
}

function splice(text: string, start: number, end: number, insertion: string): string {
  return text.slice(0, start) + insertion + text.slice(end);
}

function lineStarts(text: string): number[] {
  return [...text.matchAll(/\r\n/g)].map((match) => match.index + 2);
}

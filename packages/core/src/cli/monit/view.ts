import { type Known, type KnownInstance, knownInstances } from "./known.ts";
import { drain, type Order, reload, restart, resume, scale, type Wish } from "./order.ts";
import { type Pane, panesOf } from "./panes.ts";
import { matchingEntries, matchingLines } from "./search.ts";
import { trafficRows } from "./traffic-rows.ts";

/** What keys mean at the moment. */
export type Mode =
  | { readonly kind: "look" }
  | { readonly kind: "help" }
  /** What is searched for is being written. `before`: what it was. */
  | { readonly kind: "search"; readonly before: string }
  | { readonly kind: "confirm"; readonly order: Order };

export interface Notice {
  readonly text: string;
  readonly style: "good" | "warn" | "bad";
}

/** What whoever looks has chosen. */
export interface View {
  readonly pane: Pane;
  /** The name of an instance; undefined: the first. */
  readonly selected: string | undefined;
  /** Rows that are passed over: of `traffic` from the top, of the others from the end. */
  readonly scrolled: Readonly<Record<"traffic" | "events" | "logs", number>>;
  /** Logs of the selected instance alone. */
  readonly onlySelected: boolean;
  /** What lines of events and logs have to contain. */
  readonly search: string;
  readonly mode: Mode;
  readonly notice: Notice | undefined;
}

export const firstView: View = {
  pane: "instances",
  selected: undefined,
  scrolled: { traffic: 0, events: 0, logs: 0 },
  onlySelected: false,
  search: "",
  mode: { kind: "look" },
  notice: undefined,
};

/** What a key comes to. `effect`: what is to be done. */
export interface Pressed {
  readonly view: View;
  readonly effect?:
    | { readonly kind: "quit" | "suspend" | "redraw" }
    | { readonly kind: "order"; readonly order: Order };
}

/** The instance that keys are about. */
export function selectedOf(known: Known, { selected }: Pick<View, "selected">): KnownInstance | undefined {
  const all = knownInstances(known);
  return all.find(({ name }) => name === selected) ?? all[0];
}

/** A key by its name (`"up"`, `"tab"`, `"ctrl-c"`), or the letter that it writes. */
export function pressed(view: View, key: string, known: Known): Pressed {
  if (key === "ctrl-c") return { view, effect: { kind: "quit" } };
  if (key === "ctrl-z") return { view, effect: { kind: "suspend" } };
  if (key === "ctrl-l") return { view, effect: { kind: "redraw" } };
  switch (view.mode.kind) {
    case "look":
      return looked({ ...view, notice: undefined }, key, known);
    case "help":
      return key === "q" ? { view, effect: { kind: "quit" } } : { view: { ...view, mode: { kind: "look" } } };
    case "search":
      return { view: searched(view, view.mode.before, key) };
    case "confirm": {
      const looking: View = { ...view, mode: { kind: "look" } };
      if (key === "y" || key === "Y" || key === "enter")
        return { view: looking, effect: { kind: "order", order: view.mode.order } };
      return { view: { ...looking, notice: { text: "nothing was changed", style: "warn" } } };
    }
  }
}

function looked(view: View, key: string, known: Known): Pressed {
  const selected = selectedOf(known, view);
  switch (key) {
    case "q":
      return { view, effect: { kind: "quit" } };
    case "?":
    case "h":
      return { view: { ...view, mode: { kind: "help" } } };
    case "tab":
      return { view: { ...view, pane: besides(view.pane, 1, known) } };
    case "shift-tab":
      return { view: { ...view, pane: besides(view.pane, -1, known) } };
    case "/":
      return { view: { ...view, mode: { kind: "search", before: view.search } } };
    case "escape":
      return { view: { ...view, search: "", onlySelected: false, scrolled: firstView.scrolled } };
    case "l":
      return { view: { ...view, onlySelected: !view.onlySelected, scrolled: { ...view.scrolled, logs: 0 } } };
    case "r":
      return asked(view, reload(known));
    case "R":
      return asked(view, restart(selected));
    case "d":
      return asked(view, drain(selected));
    case "u":
      return asked(view, resume(selected));
    case "+":
    case "=":
      return asked(view, scale(known, selected, 1));
    case "-":
      return asked(view, scale(known, selected, -1));
    default: {
      const rows = steps[key];
      return { view: rows === undefined ? view : moved(view, rows, known) };
    }
  }
}

/** Rows that a key goes down. */
const steps: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -10,
  pagedown: 10,
  home: -Infinity,
  g: -Infinity,
  end: Infinity,
  G: Infinity,
};

function asked(view: View, wish: Wish): Pressed {
  if ("refused" in wish) return { view: { ...view, notice: { text: wish.refused, style: "warn" } } };
  return { view: { ...view, mode: { kind: "confirm", order: wish } } };
}

function besides(pane: Pane, step: 1 | -1, known: Known): Pane {
  const panes = panesOf(known);
  return panes[(panes.indexOf(pane) + step + panes.length) % panes.length]!;
}

function moved(view: View, rows: number, known: Known): View {
  const { pane, scrolled } = view;
  const within = (value: number, most: number) => Math.max(0, Math.min(value, most));
  switch (pane) {
    case "instances": {
      const names = knownInstances(known).map(({ name }) => name);
      const at = names.indexOf(selectedOf(known, view)?.name ?? "");
      return { ...view, selected: names[within(at + rows, names.length - 1)] };
    }
    case "traffic":
      return {
        ...view,
        scrolled: { ...scrolled, traffic: within(scrolled.traffic + rows, trafficRows(known).length - 1) },
      };
    case "events":
    case "logs": {
      const all =
        pane === "events" ? matchingEntries(known, view) : matchingLines(known, view, selectedOf(known, view));
      return { ...view, scrolled: { ...scrolled, [pane]: within(scrolled[pane] - rows, all.length - 1) } };
    }
  }
}

const longestSearch = 100;

function searched(view: View, before: string, key: string): View {
  switch (key) {
    case "enter":
      return { ...view, mode: { kind: "look" } };
    case "escape":
      return { ...view, mode: { kind: "look" }, search: before };
    case "backspace":
      return { ...view, search: [...view.search].slice(0, -1).join("") };
    default:
      if ([...key].length !== 1 || view.search.length >= longestSearch) return view;
      return { ...view, search: view.search + key, scrolled: { ...view.scrolled, events: 0, logs: 0 } };
  }
}

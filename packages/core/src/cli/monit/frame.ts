import { gaugeLines, titleLine } from "./header.ts";
import { helpLines } from "./help.ts";
import { instanceLines } from "./instance-pane.ts";
import { type Known, knownInstances } from "./known.ts";
import { layout } from "./layout.ts";
import { type Pane, panesOf } from "./panes.ts";
import { matchingEntries, matchingLines } from "./search.ts";
import type { Charset } from "./sparkline.ts";
import { fitted, type Line, type Piece } from "./styled-text.ts";
import { eventLines, logLines } from "./text-panes.ts";
import { trafficLines } from "./traffic-pane.ts";
import { trafficRows } from "./traffic-rows.ts";
import { selectedOf, type View } from "./view.ts";

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

export interface FrameSettings extends FrameSize {
  readonly charset: Charset;
  readonly now: number;
}

/** The whole screen: as many lines as it has rows, each as wide as it is. */
export function frame(known: Known, view: View, settings: FrameSettings): readonly Line[] {
  const { columns: width, rows, charset, now } = settings;
  const footer = footerLine(view);
  const body = view.mode.kind === "help" ? helpLines() : bodyLines();
  const above = [titleLine(known, now), ...body].slice(0, Math.max(0, rows - 1));
  while (above.length < rows - 1) above.push([]);
  return [...above, footer].slice(-rows).map((line) => fitted(line, width));

  function bodyLines(): readonly Line[] {
    // Of low screens the numbers take a third at most, and of the lowest one line.
    const gauges = gaugeLines(known, { width, rows: Math.max(1, Math.min(10, Math.floor((rows - 4) / 3))), charset });
    const room = Math.max(1, rows - 2 - gauges.length);
    const all = panesOf(known);
    const focus = all.includes(view.pane) ? view.pane : "instances";
    const wishes = all.map((pane) => ({ pane, wanted: 1 + Math.max(1, contentRows(pane)) }));
    const placed = layout(wishes, focus, room);
    const hidden = all.filter((pane) => placed.every((one) => one.pane !== pane));
    const panes = placed.flatMap(({ pane, rows: high }) => {
      const lines = content(pane, high - 1).slice(0, high - 1);
      const empty = Array.from({ length: Math.max(0, high - 1 - lines.length) }, (): Line => []);
      return [heading(pane, pane === focus, hidden), ...lines, ...empty];
    });
    const lines = [...gauges, ...panes];
    // What was, and may not be any more.
    return known.link.kind === "lost" ? lines.map((line) => line.map((piece) => ({ ...piece, style: "dim" }))) : lines;
  }

  function contentRows(pane: Pane): number {
    switch (pane) {
      case "instances":
        return knownInstances(known).length + 1;
      case "traffic":
        return trafficRows(known).length + 1;
      case "events":
        return matchingEntries(known, view).length;
      case "logs":
        return known.noLines === undefined ? matchingLines(known, view, selectedOf(known, view)).length : 1;
    }
  }

  function content(pane: Pane, high: number): readonly Line[] {
    switch (pane) {
      case "instances":
        return instanceLines(knownInstances(known), { selected: selectedOf(known, view)?.name, width, rows: high });
      case "traffic":
        return trafficLines(trafficRows(known), { first: view.scrolled.traffic, width, rows: high });
      case "events":
        return eventLines(matchingEntries(known, view), { back: view.scrolled.events, rows: high });
      case "logs": {
        if (known.noLines !== undefined) return [[{ text: known.noLines, style: "dim" }]];
        const lines = matchingLines(known, view, selectedOf(known, view));
        return logLines(lines, { back: view.scrolled.logs, rows: high });
      }
    }
  }

  function heading(pane: Pane, focused: boolean, hidden: readonly Pane[]): Line {
    const rule = charset === "unicode" ? "─" : "-";
    const title: Piece = { text: `${titles[pane]} `, style: focused ? "heading" : "dim" };
    const others = focused && hidden.length > 0 ? `tab: ${hidden.map((one) => titles[one]).join(", ")} ` : "";
    return [
      { text: `${rule}${rule} `, style: "dim" },
      title,
      ...about(pane),
      { text: others, style: "dim" },
      { text: rule, style: "dim", fill: true },
    ];
  }

  /** What is left out of a pane. */
  function about(pane: Pane): Line {
    if (pane === "instances" || pane === "traffic") return [];
    const selected = selectedOf(known, view);
    const one = pane === "logs" && view.onlySelected && selected !== undefined ? `of ${selected.name} ` : "";
    const searched = view.search === "" ? "" : `with "${view.search}" `;
    const back = view.scrolled[pane] === 0 ? "" : `${view.scrolled[pane]} below `;
    return [{ text: one + searched + back, style: "accent" }];
  }
}

const titles: Readonly<Record<Pane, string>> = {
  instances: "Instances",
  traffic: "Routes and backends",
  events: "Events",
  logs: "Logs",
};

const keys: readonly (readonly [string, string])[] = [
  ["q", "quit"],
  ["?", "help"],
  ["tab", "pane"],
  ["r", "reload"],
  ["R", "restart"],
  ["d", "drain"],
  ["u", "resume"],
  ["+-", "scale"],
  ["l", "its logs"],
  ["/", "search"],
];

function footerLine({ mode, notice, search }: View): Line {
  switch (mode.kind) {
    case "confirm":
      return [
        // First: a narrow screen cuts the end.
        { text: "[y/n] ", style: "bold" },
        { text: mode.order.question, style: "warn" },
      ];
    case "search":
      return [{ text: "search: ", style: "dim" }, { text: `${search}_` }, { text: "  enter, esc", style: "dim" }];
    case "help":
      return [{ text: "any key: back", style: "dim" }];
    case "look":
      if (notice !== undefined) return [{ text: notice.text, style: notice.style }];
      return keys.flatMap(
        ([key, what]) =>
          [
            { text: key, style: "bold" },
            { text: ` ${what}  `, style: "dim" },
          ] as const,
      );
  }
}

import { cell, type Line } from "./styled-text.ts";

const keys: readonly (readonly [string, string])[] = [
  ["up, down", "select an instance; scroll in other panes (also j, k, page up and down, home, end)"],
  ["tab", "next pane: instances, routes and backends, events, logs"],
  ["r", "reload: replace all instances, one after the other"],
  ["R", "restart: replace the selected instance"],
  ["d, u", "drain: take the selected instance out of rotation; put it back"],
  ["+, -", "one instance more or fewer, of the app or of the selected one's backend"],
  ["l", "logs of the selected instance alone, or of all"],
  ["/", "events and logs with a word"],
  ["esc", "all events and logs again, at their end"],
  ["ctrl-l", "draw the screen anew"],
  ["ctrl-z", "to the shell; fg comes back"],
  ["q, ctrl-c", "quit: the cluster goes on"],
];

export function helpLines(): readonly Line[] {
  const lines = keys.map(([key, what]): Line => [{ text: cell(key, 11), style: "bold" }, { text: what }]);
  const notes = [
    "Rates and times are of the last ten seconds, charts of the last five minutes.",
    "What changes something is asked for once more.",
  ];
  return [[], ...lines, [], ...notes.map((text): Line => [{ text, style: "dim" }])];
}

import { expect, test } from "vitest";
import { startArguments } from "./service-facts.ts";

test.each([
  ["app.js --user -p 80", "app.js -p 80"],
  ["--run-as web app.js --env-file .env --env production", "app.js --env-file .env --env production"],
  ["--run-as=web app.js -- --user --print", "app.js -- --user --print"],
  [". --socket --print --saved --remove --dry-run --name a=b", ". --name a=b"],
])("lb startup %s is lb start %s", (given, words) => {
  expect(startArguments(given.split(" "), { withoutPlace: false }).join(" ")).toBe(words);
});

test("where systemd listens, the app does not", () => {
  const given = "app.js -p 80 --socket --host=:: --port=81 --port 82 --https-port 4".split(" ");
  expect(startArguments(given, { withoutPlace: true })).toEqual(["app.js", "--https-port", "4"]);
});

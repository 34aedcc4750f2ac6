import { expect, it } from "vitest";
import { programName } from "./program-name.ts";

it.each([
  ["uvicorn app:app --port {port}", "uvicorn"],
  ["A=1 B=2 /srv/venv/bin/gunicorn app", "gunicorn"],
  ["exec './server' --x", "server"],
  ["cd api && ./prepare; ./server | logger\n", "server"],
  [["/usr/bin/php", "-S"], "php"],
  ["A=1", "program"],
])("%s is called %s", (command, name) => {
  expect(programName(command)).toBe(name);
});

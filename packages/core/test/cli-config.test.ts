// `lb config`: what is in a configuration, before it is in force.
import { expect, test } from "vitest";
import { Shell } from "./support/shell.ts";

test("lb config check exits with 0, with 1 for what options name, with 2 for options, and names them all", {
  timeout: 60_000,
}, async () => {
  const shell = new Shell();
  shell.write("app.cjs", "");
  shell.write("lb.config.ts", `export default { entry: "app.cjs", routes: [{ path: "/a/*", to: "app" }] };`);
  const good = await shell.run("config", "check");
  expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/lb\.config\.ts can be used\.\n$/) });
  shell.write("named.json", `{ "entry": "app.cjs", "envFile": "none.env" }`);
  expect(await shell.run("config", "check", "named.json")).toMatchObject({ code: 1 });
  shell.write(
    "wrong.json",
    `{ "entry": "app.cjs", "port": "80", "routes": [{ "to": "app" }, { "path": 1, "to": "app" }] }`,
  );
  const wrong = await shell.run("config", "check", "wrong.json", "--json");
  expect(wrong.code).toBe(2);
  const { faults } = JSON.parse(wrong.stdout) as { faults: { option: string }[] };
  expect(faults.map(({ option }) => option)).toEqual(["port", "routes[1].path"]);
});

import { Command, Option } from "commander";
import { expect, test } from "vitest";
import { commandTree } from "./command-tree.ts";
import { complete } from "./complete.ts";
import { manPage } from "./man-page.ts";

const program = new Command("lb").description("One app.").version("1");
program
  .command("start")
  .argument("[entry]", "the app")
  .description("run it")
  .addOption(new Option("--mode <mode>", "how").choices(["proxy", "handoff"]))
  .option("--deny <ranges>", "several with commas")
  .option("-i, --instances <n>", "how many")
  .option("--log-dir <directory>", "where")
  .option("--admin [port]", "metrics");
program
  .command("stop")
  .argument("[name]", "which")
  .description("end it")
  .option("--name <name>", "which")
  .option("--pid <pid>");
program.command("ls").alias("list").description("show all");
program.command("hidden", { hidden: true });
const certs = program.command("certs").description("certificates");
certs.command("reload").description("anew");

const tree = commandTree(program);
const running = {
  clusters: async () => [
    { name: "shop", pid: 7 },
    { name: "blog", pid: 8 },
  ],
};
const told = async (line: string) => {
  const { candidates, paths } = await complete(tree, line.split(" "), running);
  return [...candidates.map(({ text }) => text), ...(paths === undefined ? [] : [`:${paths}`])].join(" ");
};

test.each([
  ["", "start stop ls certs"],
  ["st", "start stop"],
  ["hid", ""],
  ["certs ", "reload"],
  ["start ", ":files"],
  ["start --", "--mode --deny --instances --log-dir --admin --help"],
  ["start --mode ", "proxy handoff"],
  ["start --mode=h", "--mode=handoff"],
  ["start --mode = h", "handoff"],
  ["start --mode =", "proxy handoff"],
  ["start --mode proxy -i 4 --m", ""],
  ["start -i 4 --deny a --d", "--deny"],
  ["start --log-dir ", ":directories"],
  ["start --log-dir=x", ":directories"],
  ["start --admin ", ":files"],
  ["start app.js -- --mo", ":files"],
  ["stop ", "shop blog"],
  ["stop s", "shop"],
  ["stop shop ", ""],
  ["stop --name b", "blog"],
  ["stop --pid ", "7 8"],
  ["nothing such ", ""],
])("lb %s", async (line, expected) => {
  expect(await told(line)).toBe(expected);
});

test("what is shown of files is left to the shell, of clusters it is asked only where one may stand", async () => {
  const asked = { clusters: () => Promise.reject(new Error("asked")) };
  await expect(complete(tree, ["start", "--mode", ""], asked)).resolves.toBeDefined();
  await expect(complete(tree, ["stop", ""], asked)).rejects.toThrow("asked");
});

test("the manual has all that is shown, and nothing in it is an order by mistake", () => {
  const page = manPage({ ...tree, description: ".Dots 'and' \\backslashes" }, "1.2.3");
  expect(page).toContain('.TH LB 1 "" "lb 1.2.3"');
  expect(page).toContain(".B \\-\\-log\\-dir <directory>\nwhere\n");
  expect(page).not.toContain("hidden");
  expect(page).toContain("lb \\- \\&.Dots 'and' \\ebackslashes");
  for (const line of page.split("\n")) expect(line).toMatch(/^(?:\.(?:TH|SH|SS|TP|B|I|PP|br)(?: |$)|[^.'])|^$/);
});

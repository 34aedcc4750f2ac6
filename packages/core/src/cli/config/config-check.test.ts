import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkConfig } from "./config-check.ts";
import { faultLines } from "./config-commands.ts";

const directory = mkdtempSync(join(tmpdir(), "lb-check-"));
afterAll(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, "app.js"), "");

async function lines(config: object, name = "lb.config.json"): Promise<readonly string[]> {
  const file = join(directory, name);
  writeFileSync(file, JSON.stringify(config));
  const checked = await checkConfig(file);
  return checked.faults.map(({ kind, option, value, what }) => `${kind}: ${option} (${value}): ${what}`);
}

test("a good one", async () => {
  expect(await lines({ entry: "app.js", routes: [{ path: "/a", to: "app" }] })).toEqual([]);
  expect(faultLines({ file: "/x", faults: [] })).toEqual(["/x can be used."]);
});

test("all values that cannot be used, each by its path", async () => {
  const found = await lines({
    entry: "app.js",
    port: "80",
    routes: [{ to: "app" }, { path: 1, to: "app" }],
    helth: {},
    limits: { maxHeaders: 0 },
  });
  expect(found).toHaveLength(4);
  expect(found.join("\n")).toMatch(/option: port \("80"\)/);
  expect(found.join("\n")).toMatch(/option: routes\[1\]\.path \(1\)/);
  expect(found.join("\n")).toMatch(/helth .*did you mean "health"/);
  expect(found.join("\n")).toMatch(/limits\.maxHeaders \(0\)/);
});

test("all that does not go together", async () => {
  const found = await lines({
    entry: "app.js",
    http: "redirect",
    backends: {
      other: { endpoints: ["http://10.0.0.2:80"], strategy: "none" },
      api: { endpoints: ["http://10.0.0.1:80", "http://10.0.0.1:80"] },
      db: {},
    },
    routes: [
      { path: "/a", to: "apii" },
      { path: "/b", to: "db" },
      { path: "/c", to: { redirect: "/{d}" } },
    ],
    deploy: { steps: [{ run: 1 }] },
  });
  const options = found.map((line) => /^option: (\S+) /.exec(line)?.[1]);
  expect(options.sort()).toEqual(
    [
      "backends.api.endpoints[1]",
      "backends.db.endpoints",
      "backends.other.strategy",
      "deploy.steps[0].run",
      "http",
      "routes[0].to",
      "routes[2].to.redirect",
    ].sort(),
  );
  expect(found.find((line) => line.includes("routes[0]"))).toContain('did you mean "api"?');
});

test("what it names: entry, directories, variables, ports", async () => {
  const found = await lines({
    entry: "not-there.js",
    port: 4_000,
    workerPort: 3_999,
    instances: 2,
    envFile: "not-there.env",
    accessLog: join(directory, "no", "access.log"),
    routes: [{ path: "/files/*", to: { files: join(directory, "no") } }],
  });
  expect(found.every((line) => line.startsWith("reference: "))).toBe(true);
  const options = found.map((line) => /^reference: (\S+) /.exec(line)?.[1]);
  expect(options).toEqual(["entry", "envFile", "routes[0].to.files", "accessLog.to", "workerPort"]);
});

test("certificates and their keys", async () => {
  const pem = (name: string) => join(directory, name);
  for (const name of ["a", "b"]) {
    const subject = ["-subj", `/CN=${name}.example`, "-addext", `subjectAltName=DNS:${name}.example`];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "9",
        ...subject,
        "-keyout",
        pem(`${name}.key`),
        "-out",
        pem(`${name}.pem`),
      ],
      { stdio: "ignore" },
    );
  }
  const certificates = [
    { cert: pem("a.pem"), key: pem("a.key") },
    { cert: pem("a.pem"), key: pem("b.key") },
    { cert: pem("c.pem"), key: pem("a.key") },
  ];
  const found = await lines({ entry: "app.js", https: { certificates } });
  expect(found).toHaveLength(2);
  expect(found[0]).toMatch(/^reference: https\.certificates\[1\] .*not that of the certificate/);
  expect(found[1]).toMatch(/^reference: https\.certificates\[2\]\.cert .*cannot be read/);
});

test("what is no configuration", async () => {
  const file = join(directory, "broken.json");
  writeFileSync(file, "{");
  const { faults } = await checkConfig(file);
  expect(faults).toMatchObject([{ kind: "file" }]);
  await expect(checkConfig(join(directory, "none.json"))).rejects.toThrow("There is no configuration");
});

test("PM2's files", async () => {
  expect(
    await lines({ apps: [{ name: "a", script: join(directory, "app.js"), instances: 2 }] }, "ecosystem.json"),
  ).toEqual([]);
  const [found] = await lines({ apps: [{ name: "a", script: "./none.js" }] }, "ecosystem.json");
  expect(found).toMatch(/^file: .*none\.js/);
});

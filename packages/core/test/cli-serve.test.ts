// `lb serve` as a user runs it, and the same files beside an app.
import { expect, test } from "vitest";
import { siteOf } from "./support/files-front.ts";
import { httpGet } from "./support/http-get.ts";
import { RawClient } from "./support/raw-client.ts";
import { Shell, saidUrl } from "./support/shell.ts";

const page = { accept: "text/html" };

test("lb serve sends a directory, without an app, and is operated like a cluster", async () => {
  const shell = new Shell();
  const root = siteOf({
    "index.html": "<p>site",
    "about.html": "<p>about",
    "assets/app.07f1c3f1.js": "code",
    ".env": "secret",
  });
  const served = shell.spawn(
    "serve",
    root,
    "-p",
    "0",
    "--spa",
    "--clean-urls",
    "--name",
    "site",
    "--health-endpoints",
    "on",
  );
  const url = await saidUrl(served);
  expect(served.said()).toMatch(/^lb: site listens on \S+, pid \d+\n$/);
  const asked = (path: string, headers: Record<string, string> = {}) => httpGet(`${url}${path}`, { headers });
  expect(await asked("/")).toMatchObject({ status: 200, body: "<p>site" });
  expect(await asked("/about")).toMatchObject({ status: 200, body: "<p>about" });
  expect(await asked("/users/7", page)).toMatchObject({ status: 200, body: "<p>site" });
  expect(await asked("/assets/gone.js", page)).toMatchObject({ status: 404 });
  expect(await asked("/.env")).toMatchObject({ status: 404 });
  expect((await asked("/assets/app.07f1c3f1.js")).headers).toMatchObject({
    "cache-control": expect.stringContaining("immutable"),
  });
  expect(await asked("/health")).toMatchObject({ status: 200, body: '{"status":"ok","ready":0,"instances":0}' });
  expect((await shell.run("routes", "/about")).stdout).toContain(`files of ${root}`);
  expect(await shell.run("scale", "2")).toMatchObject({ code: 1, stderr: expect.stringContaining("no app") });
  served.child.kill("SIGTERM");
  expect(await served.exited).toBe(0);
});

test("lb serve says what is wrong with its arguments", async () => {
  const shell = new Shell();
  expect(await shell.run("serve", "nowhere")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("There is no directory"),
  });
  expect(await shell.run("serve", ".", "--spa", "../secret.html")).toMatchObject({ code: 2 });
  expect((await shell.run("serve", ".", "--instances", "2")).stderr).toContain("unknown option");
});

test("files beside an app: what is no file's path or method is the app's", async () => {
  const shell = new Shell();
  const root = siteOf({ "docs/index.html": "docs", "a.txt": "hello" });
  shell.write(
    "app.cjs",
    'require("node:http").createServer((q, s) => s.end(["app", q.method, q.url].join(" "))).listen(process.env.PORT);',
  );
  const routes = [
    {
      path: "/static/*",
      method: ["GET", "HEAD"],
      to: { files: root },
      stripPrefix: "/static",
      headers: { response: { set: { "X-From": "files" } } },
    },
  ];
  shell.write("lb.config.json", JSON.stringify({ entry: "app.cjs", instances: 1, port: 0, routes }));
  const { port } = await shell.start();
  const client = await RawClient.ofTest(port);
  const asked = (method: string, path: string) =>
    client.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).response(method);
  // Twice: from the disk, and from memory.
  for (let time = 0; time < 2; time++) {
    const file = await asked("GET", "/static/a.txt");
    expect([file.body.toString(), file.headers["x-from"]]).toEqual(["hello", "files"]);
    expect((await asked("GET", "/static")).headers["location"]).toBe("./static/");
    expect((await asked("GET", "/static/docs?x")).headers["location"]).toBe("./docs/?x");
    expect((await asked("GET", "/static/nothing")).status).toBe(404);
    expect((await asked("POST", "/static/a.txt")).body.toString()).toBe("app POST /static/a.txt");
    expect((await asked("GET", "/a.txt")).body.toString()).toBe("app GET /a.txt");
  }
});

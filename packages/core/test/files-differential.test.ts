// What nginx sends for the same requests and the same directory.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { filesRouter, siteOf } from "./support/files-front.ts";
import { freePorts } from "./support/free-ports.ts";
import { RawClient, type RawResponse } from "./support/raw-client.ts";
import { startFront } from "./support/test-front.ts";

const text = "0123456789abcdefghijklmnopqrstuvwxyz\n";
const script = "console.log('hello');\n".repeat(50);
const large = Buffer.alloc(1_050_000, "large file. ");
const then = "Wed, 01 Jan 2020 00:00:00 GMT";
const before = "Tue, 31 Dec 2019 23:59:59 GMT";
const after = "Wed, 01 Jan 2020 00:00:01 GMT";

let root: string;
let nginxPort: number;

beforeAll(async () => {
  const ends: (() => void)[] = [];
  root = siteOf(
    {
      "index.html": "<p>index",
      "a.txt": text,
      "empty.txt": "",
      "app.js": script,
      "app.js.gz": gzipSync(script),
      "large.bin": large,
      "docs/index.html": "<p>docs",
      "bare/b.txt": "b",
      "with space.txt": "space",
      "grüße.txt": "umlaut",
      "a+b&c.txt": "plus",
    },
    (end) => ends.push(end),
  );
  const folder = mkdtempSync(join(tmpdir(), "lb-nginx-"));
  nginxPort = await freePorts(1);
  const file = join(folder, "nginx.conf");
  writeFileSync(file, nginxConfig(folder));
  const nginx: ChildProcess = spawn("nginx", ["-c", file], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(nginx, "exit");
  await eventually(
    () =>
      fetch(`http://127.0.0.1:${nginxPort}/a.txt`).then(
        ({ ok }) => ok,
        () => false,
      ),
    { what: "nginx answers" },
  );
  return async () => {
    nginx.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
    for (const end of ends) end();
  };
});

const nginxConfig = (folder: string) => `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/errors;
events { worker_connections 64; }
http {
  access_log off; default_type application/octet-stream; types { text/html html; text/plain txt; text/javascript js; }
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  server {
    listen 127.0.0.1:${nginxPort}; root ${root};
    # RFC 9110's meaning, which nginx has as an option.
    if_modified_since before; gzip_static on; gzip_vary on; gzip_proxied any; absolute_redirect off; server_name_in_redirect off;
    location ~ /\\. { return 404; }
    # A directory that has no index is 403 there.
    error_page 403 =404 /none; location = /none { internal; return 404; }
  }
}
`;

interface Asked {
  readonly method?: string;
  readonly path: string;
  /** `{tag}` stands for the server's own ETag of the path. */
  readonly fields?: string;
}

async function answered(port: number, { method = "GET", path, fields = "" }: Asked): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  const ask = async (how: string, lines: string) =>
    await client.send(`${how} ${path} HTTP/1.1\r\nHost: a.example\r\n${lines}\r\n`).response(how);
  try {
    const tag = fields.includes("{tag}") ? ((await ask("HEAD", "")).headers["etag"] ?? "") : "";
    return await ask(method, fields.replaceAll("{tag}", tag));
  } finally {
    client.destroy();
  }
}

/** What both have to say alike; `204` and redirects differ in what a person reads of them. */
function essence({ status, headers, body }: RawResponse) {
  const ok = status === 200 || status === 206;
  const multipart = headers["content-type"]?.startsWith("multipart/") === true;
  return {
    status,
    length: ok && !multipart ? headers["content-length"] : undefined,
    range: headers["content-range"],
    coding: headers["content-encoding"],
    modified: ok || status === 304 ? headers["last-modified"] : undefined,
    hasTag: ok || status === 304 ? headers["etag"] !== undefined : undefined,
    // nginx has no ranges of what is stored compressed.
    ranges: status === 200 && headers["content-encoding"] === undefined ? headers["accept-ranges"] : undefined,
    location: headers["location"]?.replace(/^\.\/(\w+)/, "/$1"),
    body: ok ? (multipart ? parts(body, headers["content-type"]!) : digest(body)) : undefined,
  };
}

const digest = (body: Buffer): string => createHash("sha1").update(body).digest("hex");

/** Without the boundary, which is by chance. */
function parts(body: Buffer, type: string): readonly string[] {
  const boundary = /boundary=(\S+)/.exec(type)![1]!;
  const all = body.toString("latin1").split(`--${boundary}`);
  return all.map((part) => part.trim().replace(/^Content-Type:.*\r\n/i, ""));
}

const ranges = [
  ...[
    "bytes=0-0",
    "bytes=0-9",
    "bytes=5-",
    "bytes=-5",
    "bytes=0-",
    "bytes=-100000000",
    "bytes=0-99999999",
    "bytes=36-36",
    "bytes=10-10",
  ],
  ...[
    "bytes=0-1,5-6",
    "bytes=-1,0-0",
    "bytes=0-0, 2-2 ,4-4",
    "bytes=99999999-",
    "bytes=99999999-99999999",
    "items=0-1",
    "bytes 0-1",
  ],
];
const conditions = [
  ...[
    "If-None-Match: {tag}",
    "If-None-Match: W/{tag}",
    'If-None-Match: "x", {tag}',
    'If-None-Match: "x"',
    "If-None-Match: *",
    "If-None-Match: garbage",
  ],
  ...["If-Match: {tag}", 'If-Match: "x"', "If-Match: *", 'If-Match: "x", {tag}'],
  ...[before, then, after, "garbage"].flatMap((date) => [`If-Modified-Since: ${date}`, `If-Unmodified-Since: ${date}`]),
  `If-None-Match: "x"\r\nIf-Modified-Since: ${after}`,
  `If-Match: {tag}\r\nIf-Unmodified-Since: ${then}`,
  ...["{tag}", '"x"', "W/{tag}", then, before, after, "garbage"].map(
    (validator) => `Range: bytes=1-2\r\nIf-Range: ${validator}`,
  ),
  "Range: bytes=1-2\r\nIf-None-Match: {tag}",
];
const paths = [
  ...[
    "/",
    "/index.html",
    "/a.txt",
    "/a.txt?x=1",
    "/empty.txt",
    "/app.js",
    "/large.bin",
    "/docs",
    "/docs?x=1",
    "/docs/",
    "/bare",
    "/bare/",
    "/bare/b.txt",
  ],
  ...[
    "/with%20space.txt",
    "/gr%C3%BC%C3%9Fe.txt",
    "/a+b&c.txt",
    "/a%2Bb%26c.txt",
    "/nothing",
    "/nothing/",
    "/docs/nothing",
    "/.env",
    "/A.TXT",
  ],
  ...["/a.txt/", "/a.txt/b", "/a.txt%20", "/a.txt.", `/${"a".repeat(300)}`, "/app.js.gz"],
];
const files = ["/a.txt", "/app.js"];
const lines = (fields: string) => `${fields}\r\n`;
const gzip = lines("Accept-Encoding: gzip");

const requests: readonly Asked[] = [
  ...paths.flatMap((path) =>
    ["GET", "HEAD"].flatMap((method) => ["", gzip].map((fields) => ({ method, path, fields }))),
  ),
  ...["/a.txt", "/large.bin"].flatMap((path) => ranges.map((range) => ({ path, fields: lines(`Range: ${range}`) }))),
  ...files.flatMap((path) =>
    ["GET", "HEAD"].flatMap((method) => conditions.map((fields) => ({ method, path, fields: lines(fields) }))),
  ),
  ...conditions.slice(0, 4).map((fields) => ({ path: "/large.bin", fields: lines(fields) })),
  ...["gzip;q=0", "gzip;q=0.5", "identity", "*", "br", "deflate, gzip;q=1.0"].map((accept) => ({
    path: "/app.js",
    fields: lines(`Accept-Encoding: ${accept}`),
  })),
  ...["POST", "PUT", "DELETE"].map((method) => ({ method, path: "/a.txt", fields: lines("Content-Length: 0") })),
];

/** Where we do otherwise, and why. */
const exceptions: readonly { readonly why: string; readonly is: (asked: Asked) => boolean }[] = [
  {
    why: "what is no date is not there (RFC 9110 §13.1.4), and nothing that fails",
    is: ({ fields = "" }) => fields.startsWith("If-Unmodified-Since: garbage"),
  },
  { why: "a directory without an index is nowhere to be sent to", is: ({ path }) => path === "/bare" },
  {
    why: "a unit that nobody knows, or no unit: RFC 9110 §14.2 has it ignored, nginx says 416",
    is: ({ fields = "" }) => /Range: (items=|bytes 0)/.test(fields),
  },
  {
    why: "ranges are of GET alone (RFC 9110 §14.2)",
    is: ({ method, fields = "" }) => method === "HEAD" && fields.startsWith("Range"),
  },
  { why: "nginx answers 405 by another method's file", is: ({ method = "GET" }) => !["GET", "HEAD"].includes(method) },
  {
    why: "`*` takes gzip (RFC 9110 §12.5.3), which nginx does not see",
    is: ({ path, fields = "" }) => path === "/app.js" && fields === lines("Accept-Encoding: *"),
  },
  {
    why: "an If-Range of no validator that we gave: nginx compares dates alone",
    is: ({ fields = "" }) => fields.includes("If-Range: W/"),
  },
];

test(`of ${requests.length} requests, each is answered as nginx answers it`, { timeout: 20_000 }, async () => {
  expect(requests.length).toBeGreaterThan(250);
  const { port } = await startFront({ backends: [], router: filesRouter({ files: root }) });
  const different: string[] = [];
  let excepted = 0;
  for (const asked of requests) {
    if (exceptions.some(({ is }) => is(asked))) {
      excepted++;
      continue;
    }
    // Twice: what was looked for first is known then.
    const theirs = essence(await answered(nginxPort, asked));
    for (let time = 0; time < 2; time++) {
      const ours = essence(await answered(port, asked));
      for (const name of Object.keys(ours) as (keyof typeof ours)[]) {
        const [own, other] = [JSON.stringify(ours[name]), JSON.stringify(theirs[name])];
        if (own !== other) different.push(`${JSON.stringify(asked)} ${name}: ${own}, nginx: ${other}`);
      }
    }
  }
  expect(different).toEqual([]);
  expect(excepted).toBeLessThan(80);
});

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { Router } from "../../src/front/proxy/router.ts";
import type { Way } from "../../src/front/proxy/way.ts";
import { systemClock } from "../../src/model/clock.ts";
import { systemRandom } from "../../src/model/random.ts";
import { type FileOptions, fileSchema } from "../../src/options/file-options.ts";
import { parseOptions } from "../../src/options/validation.ts";
import { PlaneFiles } from "../../src/plane/plane-files.ts";

const longAgo = Date.UTC(2020, 0, 1) / 1_000;

/** A directory with these files, all of which were changed long ago; gone with the test, or as `until` says. */
export function siteOf(
  files: Readonly<Record<string, string | Buffer>>,
  until: (end: () => void) => void = onTestFinished,
): string {
  const root = mkdtempSync(join(tmpdir(), "lb-site-"));
  until(() => rmSync(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, longAgo, longAgo);
  }
  return root;
}

/** For a front that answers all requests with the files of a directory. */
export function filesRouter(options: FileOptions, until: (end: () => void) => void = onTestFinished) {
  const files = new PlaneFiles({
    settings: parseOptions(fileSchema, options),
    clock: systemClock,
    random: systemRandom,
  });
  until(() => files.close());
  return (otherwise: Way): Router => {
    const way = { ...otherwise, pool: files.pool, balancer: files.pool.balancer, routing: undefined };
    const rule = { hosts: undefined, paths: undefined, methods: undefined, headers: [] };
    const { maxBodyBytes } = otherwise.limits;
    return new Router({
      routes: [
        {
          name: "files",
          rule,
          limit: undefined,
          limitsItself: false,
          guards: [],
          destination: files.destination(way, ""),
        },
      ],
      otherwise,
      limit: undefined,
      maxBodyBytes,
    });
  };
}

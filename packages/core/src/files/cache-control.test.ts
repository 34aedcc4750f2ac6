import { describe, expect, it } from "vitest";
import { fileSchema } from "../options/file-options.ts";
import { parseOptions } from "../options/validation.ts";
import { cacheControl } from "./cache-control.ts";

const immutable = "public, max-age=31536000, immutable";

describe("cacheControl", () => {
  it.each([
    "static/js/main.07f1c3f1.js",
    "main.07f1c3f1e2b4.js.map",
    "app-3f2a9bcd.css",
    "assets/index-BxYz12_d.js",
    "assets/inter-B2u-9xQa.woff2",
    "_next/static/chunks/pages/index.js",
    "_app/immutable/entry/start.js",
    "_astro/hero.png",
  ])("%s is named by its content", (name) => {
    expect(cacheControl(name, [])).toBe(immutable);
  });

  it.each([
    ...[
      "index.html",
      "app.js",
      "jquery-3.7.1.min.js",
      "app-20240101.js",
      "facade.js",
      "audio-Mp3Utils.js",
      "defaced.js",
    ],
    ...[
      "assets/hero-iPhone15.png",
      "report.07f1c3f1.pdf",
      "assets/my-component.js",
      "assets/vendor-bundled1.js",
      "x/_next/static/a.js",
    ],
  ])("%s may change", (name) => {
    expect(cacheControl(name, [])).toBe("no-cache");
  });

  it("goes by the first pattern that fits", () => {
    const cacheControlOf = {
      "/img/*": "max-age=60",
      "*.html": false,
      "docs/**": "max-age=5",
      "**/x.js": "no-store",
    } as const;
    const { cacheRules } = parseOptions(fileSchema, { files: ".", cacheControl: cacheControlOf });
    expect(cacheControl("img/a.png", cacheRules)).toBe("max-age=60");
    expect(cacheControl("img/a/b.png", cacheRules)).toBe("no-cache");
    expect(cacheControl("a/b.html", cacheRules)).toBe(false);
    expect(cacheControl("docs/a/b.html", cacheRules)).toBe(false);
    expect(cacheControl("docs/a/b.css", cacheRules)).toBe("max-age=5");
    expect(cacheControl("a/b/x.js", cacheRules)).toBe("no-store");
    expect(cacheControl("x.js", cacheRules)).toBe("no-store");
    expect(cacheControl("ax.js", cacheRules)).toBe("no-cache");
  });
});

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { onTestFinished } from "vitest";

/**
 * A browser that is gone when the test ends: the one that `scripts/prepare-tests.ts` made sure of. `home`: whose certificates it
 * trusts.
 */
export async function launchBrowser({ home }: { readonly home?: string } = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: browserPath(),
    ...(home !== undefined && { env: { ...process.env, HOME: home } as Record<string, string> }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  onTestFinished(() => browser.close());
  return browser;
}

function browserPath(): string {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const paths = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const found = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error("No Chromium on the PATH: run the tests with `pnpm test`, which finds one.");
  return found;
}

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { onTestFinished } from "vitest";

export interface BrowserOptions {
  /** Whose certificates it trusts. */
  readonly home?: string;
  /** Takes what ends it; by default it ends with the test. */
  readonly finished?: (end: () => Promise<void>) => void;
}

/** The browser that `scripts/prepare-tests.ts` made sure of. */
export async function launchBrowser({ home, finished = onTestFinished }: BrowserOptions = {}): Promise<Browser> {
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
  finished(() => browser.close());
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

// An option is declared in one file; here what is made of it, and what stands there twice, is compared.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { optionPages, withOptionTables } from "../../../../scripts/option-tables.ts";
import { clusterSchema } from "./cluster-options.ts";
import { deploySchema } from "./deploy-options.ts";
import { fileSchema } from "./file-options.ts";
import { type DescribedOption, describe } from "./option.ts";
import { reloadSchema } from "./reload-options.ts";

test.each(optionPages.map((page) => [basename(page), page]))("docs/%s has the options as they are", (_name, page) => {
  const text = readFileSync(page, "utf8");
  expect(text, "run `pnpm docs:options`").toBe(withOptionTables(text));
});

/** Where the options of an interface belong. */
const interfaces: Readonly<Record<string, string>> = {
  FileOptions: "files.",
  PlaceOptions: "",
  ProgramOptions: "",
  RoutingOptions: "",
  RouteOptions: "routes.",
  BasicAuthOptions: "routes.basicAuth.",
  BackendOptions: "backends.",
  BackendProgramOptions: "backends.",
  AppOptions: "apps.",
  BackendTlsOptions: "backends.tls.",
  BackendLookupOptions: "backends.lookup.",
  ExecSettings: "exec.",
  ReadySettings: "exec.ready.",
  BalancingOptions: "",
  LifeOptions: "",
  EnvironmentOptions: "",
  OperatorOptions: "",
  AccessLogOptions: "accessLog.",
  AlertOptions: "alerts.",
  AlertRuleOptions: "alerts.on.",
  QuietHoursOptions: "alerts.quietHours.",
  DigestOptions: "alerts.digest.",
  AdminOptions: "admin.",
  AdminAuthOptions: "admin.auth.",
  FrontOptions: "",
  RateLimitOptions: "rateLimit.",
  WaitQueueSettings: "queue.",
  RetryBudgetSettings: "retryBudget.",
  TimeoutSettings: "timeouts.",
  HttpLimits: "limits.",
  LimitOptions: "limits.",
  AdaptiveInFlightOptions: "limits.maxRequestsInFlight.",
  HttpsSettings: "https.",
  AcmeSettings: "https.acme.",
  ExternalAccount: "https.acme.eab.",
  SecurityHeaderSettings: "securityHeaders.",
  RequestIdSettings: "requestId.",
  HstsSettings: "securityHeaders.hsts.",
  HeaderOptions: "headers.",
  ListenOptions: "listen.",
  Http2Settings: "http2.",
  AutoscaleOptions: "autoscale.",
  CookieOptions: "affinity.cookie.",
  IpOptions: "affinity.ip.",
  PassiveSettings: "health.passive.",
  OutlierSettings: "health.outlier.",
  SuccessRateSettings: "health.outlier.successRate.",
  ActiveSettings: "health.active.",
  HealthSettings: "health.",
  HealthOptions: "health.",
  HealthEndpointOptions: "healthEndpoints.",
  RestartOptions: "restart.",
  HeartbeatSettings: "heartbeat.",
  ReloadOptions: "reload.",
  CanaryOptions: "reload.canary.",
  ReloadCheckOptions: "reload.check.",
  DeployOptions: "deploy.",
  DeployStepOptions: "deploy.steps.",
  DeployReleaseOptions: "deploy.releases.",
};

const withParts = (option: DescribedOption): DescribedOption[] => [option, ...option.parts.flatMap(withParts)];
const declared = new Map(
  [
    ...describe(clusterSchema),
    ...describe(reloadSchema, "reload."),
    ...describe(deploySchema, "deploy."),
    ...describe(fileSchema, "files."),
  ]
    .flatMap(withParts)
    .map((option) => [option.path, option]),
);

/** What an editor shows of an option, from all the interfaces that have it. */
const shown = new Map<string, string>();
for (const name of readdirSync(import.meta.dirname).filter((one) => one.endsWith("-options.ts"))) {
  const text = readFileSync(join(import.meta.dirname, name), "utf8");
  const { statements } = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  for (const one of statements.filter(ts.isInterfaceDeclaration)) {
    const prefix = interfaces[one.name.text];
    for (const member of prefix === undefined ? [] : one.members) {
      const path = `${prefix}${member.name!.getText()}`;
      const words = ts.getJSDocCommentsAndTags(member).map((comment) => comment.getText());
      shown.set(path, `${shown.get(path) ?? ""} ${words.join(" ").replace(/\s*\n\s*\*\s*/g, " ")}`);
    }
  }
}

const isConstant = ({ fallback }: DescribedOption) => ["number", "string", "boolean"].includes(typeof fallback);

test.each([...shown].filter(([path]) => isConstant(declared.get(path)!)))(
  "what an editor shows of %s",
  (path, words) => {
    const { fallback } = declared.get(path)!;
    const value = typeof fallback === "number" ? fallback.toLocaleString("en-US") : String(fallback);
    const said = `\`?"?${value.replace("∞", "Infinity").replace(/[./]/g, "\\$&")}"?\`?`;
    expect(words).toMatch(new RegExp(`\\bdefault(?: is|:)? ${said}(?![\\w-]|[.,]\\d)|${said}, the default`, "i"));
  },
);

test("every option is in one of the interfaces, and nothing else is", () => {
  const prefixes = new Set(Object.values(interfaces));
  const inInterfaces = [...declared.keys()].filter((path) => prefixes.has(path.slice(0, path.lastIndexOf(".") + 1)));
  expect([...shown.keys()].sort()).toEqual(inInterfaces.sort());
});

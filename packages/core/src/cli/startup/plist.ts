import type { ServiceFacts } from "./unit.ts";

export const plistLabel = (name: string) => `lb.${name.replace(/[^\w.-]/g, "_")}`;

/** The same for macOS. `log`: what the cluster says goes there. */
export function launchdPlist(facts: ServiceFacts, log: string): string {
  const { name, command, cwd, user, env, endMs } = facts;
  const entries: readonly (readonly [string, unknown])[] = [
    ["Label", plistLabel(name)],
    ["ProgramArguments", command],
    ["WorkingDirectory", cwd],
    ...(user === undefined ? [] : [["UserName", user] as const]),
    ["EnvironmentVariables", env],
    ["RunAtLoad", true],
    // Again only if it ended otherwise than well.
    ["KeepAlive", { SuccessfulExit: false }],
    ["ExitTimeOut", Math.ceil(endMs / 1_000) + 10],
    ["SoftResourceLimits", { NumberOfFiles: 65_536 }],
    ["HardResourceLimits", { NumberOfFiles: 65_536 }],
    ["StandardOutPath", log],
    ["StandardErrorPath", log],
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by \`lb startup\`, which writes it anew. -->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${value(Object.fromEntries(entries), "")}
</plist>
`;
}

function value(of: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (typeof of === "boolean") return `${indent}<${of}/>`;
  if (typeof of === "number") return `${indent}<integer>${of}</integer>`;
  if (Array.isArray(of)) return `${indent}<array>\n${of.map((one) => value(one, inner)).join("\n")}\n${indent}</array>`;
  if (typeof of === "object" && of !== null) {
    const pairs = Object.entries(of).map(([key, one]) => `${inner}<key>${escaped(key)}</key>\n${value(one, inner)}`);
    return `${indent}<dict>\n${pairs.join("\n")}\n${indent}</dict>`;
  }
  return `${indent}<string>${escaped(String(of))}</string>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

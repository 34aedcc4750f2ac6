/** What YAML can say and a configuration needs. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml | undefined };

/** As a block of YAML 1.1 and 1.2 alike: a text that one of them could take for something else is quoted. */
export function yaml(data: Yaml): string {
  return `${block(data, "").replace(/^\n/, "")}\n`;
}

/** What stands behind a key: on its line, or on those below, deeper by `indent`. */
function block(data: Yaml, indent: string): string {
  if (Array.isArray(data)) {
    if (data.length === 0) return " []";
    return data.map((item: Yaml) => `\n${indent}-${block(item, `${indent}  `).replace(/^\n\s*/, " ")}`).join("");
  }
  if (typeof data === "object") {
    const entries = Object.entries(data).filter((entry): entry is [string, Yaml] => entry[1] !== undefined);
    if (entries.length === 0) return " {}";
    return entries
      .map(([key, value]) => `\n${indent}${scalar(key)}:${block(value, Array.isArray(value) ? indent : `${indent}  `)}`)
      .join("");
  }
  if (typeof data === "string" && /^[^\s].*\n$/s.test(data) && !/[^\n -~]/.test(data)) {
    return ` |\n${data.replace(/\n$/, "").replaceAll(/^(?=.)/gm, indent)}`;
  }
  return ` ${scalar(data)}`;
}

/** In YAML 1.1 these are no texts. */
const reserved = /^(y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

function scalar(data: unknown): string {
  if (typeof data !== "string") return String(data);
  return /^[A-Za-z/][\w./-]*$/.test(data) && !reserved.test(data) ? data : JSON.stringify(data);
}

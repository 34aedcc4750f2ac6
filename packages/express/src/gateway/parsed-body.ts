/**
 * The bytes that a body parser such as `express.json()` made `body` of, or ones that mean the same; undefined if they
 * cannot be had, as for a form with files.
 */
export function serialiseBody(body: unknown, contentType = ""): Buffer | undefined {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === "string") return Buffer.from(body);
  if (body === undefined) return undefined;
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "application/json" || type.endsWith("+json")) return Buffer.from(JSON.stringify(body));
  if (type === "application/x-www-form-urlencoded" && typeof body === "object" && body !== null) {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(body)) appendTo(form, name, value);
    return Buffer.from(form.toString());
  }
  return undefined;
}

/** Nested values as `qs` writes and reads them, which is what `express.urlencoded({ extended: true })` uses. */
function appendTo(form: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) {
    const nested = value.some((element) => typeof element === "object" && element !== null);
    for (const [index, element] of value.entries()) appendTo(form, nested ? `${name}[${index}]` : name, element);
    return;
  }
  if (typeof value === "object" && value !== null) {
    for (const [key, element] of Object.entries(value)) appendTo(form, `${name}[${key}]`, element);
    return;
  }
  form.append(name, value === null || value === undefined ? "" : String(value));
}

/** Name, value, name, value … as the lines of a head. */
export function headerLines(fields: readonly string[]): string {
  let lines = "";
  for (let index = 0; index + 1 < fields.length; index += 2) lines += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return lines;
}

/** `..` as a segment, written in any way that some server takes for it (BAD-INPUTS 57, 170). */
const climbing = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:[/\\;?]|%2f|%5c|%3b|$)/i;

/**
 * Whether a path may lead out of one that is put before it. Without such a one there is nothing to lead out of, and dots are
 * relayed as they are.
 */
export function mayClimb(path: string): boolean {
  // Most paths have neither, and pay for no more than this.
  if (!path.includes("..") && !path.includes("%")) return false;
  return climbing.test(path.split("?", 1)[0]!);
}

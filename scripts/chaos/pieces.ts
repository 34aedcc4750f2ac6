/** What a stream sends, in pieces: both sides know it, so that a truncated one is told from a whole one. */
export function pieces(id: string): string[] {
  return Array.from({ length: 20 }, (_, index) => `${id} ${index} ${"x".repeat(500)}\n`);
}

/**
 * The first `most` of them, and what is left joined under one name: in an order that never changes, no sum ever goes back.
 */
export function capped<Value>(
  entries: readonly (readonly [string, Value])[],
  most: number,
  rest: { readonly name: string; readonly joined: (one: Value, other: Value) => Value },
): readonly (readonly [string, Value])[] {
  if (entries.length <= most) return entries;
  const others = entries.slice(most).map(([, value]) => value);
  const kept = entries.slice(0, most).filter(([name]) => name !== rest.name);
  const same = entries.slice(0, most).filter(([name]) => name === rest.name);
  return [...kept, [rest.name, [...same.map(([, value]) => value), ...others].reduce(rest.joined)]];
}

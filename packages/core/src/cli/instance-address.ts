import { InvalidArgumentError } from "commander";

/** Instances as commands name them: by a backend whose program they run, by their number, or by both. */
export interface InstanceAddress {
  /** Undefined: the app is meant. */
  readonly backend?: string;
  /** Undefined: all of them are. */
  readonly id?: number;
}

const form = /^(?:(?<backend>[A-Za-z][\w-]{0,63})(?::(?<of>[1-9]\d{0,3}))?|(?<id>[1-9]\d{0,3}))$/;

/** `"2"`, `"py:2"`, and `"py"` for all of those. */
export function instances(text: string): InstanceAddress {
  const { backend, of, id = of } = form.exec(text)?.groups ?? {};
  if (backend === undefined && id === undefined) {
    throw new InvalidArgumentError("Give the number of an instance, from 1, or a backend's as py:1.");
  }
  return { ...(backend !== undefined && { backend }), ...(id !== undefined && { id: Number(id) }) };
}

/** `"2"`, `"py:2"`. */
export function instance(text: string): InstanceAddress & { readonly id: number } {
  const { id, ...of } = instances(text);
  if (id === undefined) throw new InvalidArgumentError(`Say which one: ${text}:1, ${text}:2, …`);
  return { ...of, id };
}

/** The name of a backend, or `"app"`. */
export function group(text: string): string {
  const { backend, id } = instances(text);
  if (backend === undefined || id !== undefined)
    throw new InvalidArgumentError('Give the name of a backend, or "app".');
  return backend;
}

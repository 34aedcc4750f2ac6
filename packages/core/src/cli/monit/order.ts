import type { Known, KnownInstance } from "./known.ts";

/** What the cluster can be told to do, as the control socket has it. */
export interface Order {
  readonly command: "reload" | "restart" | "drain" | "resume" | "scale";
  readonly argument: unknown;
  /** What is to be confirmed. */
  readonly question: string;
  /** What is said when it is done. */
  readonly done: string;
}

/** An order, or why there is none. */
export type Wish = Order | { readonly refused: string };

export function reload({ status }: Known): Wish {
  if (status === undefined) return { refused: "nothing is known of the cluster" };
  return {
    command: "reload",
    argument: { options: {} },
    question: `Replace all instances of ${status.name}, one after the other?`,
    done: "all instances were replaced",
  };
}

export function restart(selected: KnownInstance | undefined): Wish {
  return onSelected(selected, "restart", {
    question: (name) => `Replace instance ${name} by a new one?`,
    done: (name) => `instance ${name} was replaced`,
  });
}

export function drain(selected: KnownInstance | undefined): Wish {
  return onSelected(selected, "drain", {
    question: (name) => `Take instance ${name} out of rotation?`,
    done: (name) => `instance ${name} gets nothing new`,
  });
}

export function resume(selected: KnownInstance | undefined): Wish {
  return onSelected(selected, "resume", {
    question: (name) => `Put instance ${name} back into rotation?`,
    done: (name) => `instance ${name} is back in rotation`,
  });
}

/** Of the group that the selected instance is in. */
export function scale({ status }: Known, selected: KnownInstance | undefined, by: 1 | -1): Wish {
  if (status === undefined) return { refused: "nothing is known of the cluster" };
  const backend = selected?.backend;
  const group = backend === undefined ? status : status.backends.find(({ name }) => name === backend);
  const before = group?.instances.length ?? 0;
  if (before === 0) return { refused: "there is nothing here that could have instances" };
  const instances = before + by;
  if (instances < 1) return { refused: "that would leave none: lb stop ends the cluster" };
  const whose = backend === undefined ? "" : ` of ${backend}`;
  return {
    command: "scale",
    argument: { ...(backend !== undefined && { backend }), instances },
    question: `Have ${instances} instances${whose} instead of ${before}?`,
    done: `there are ${instances} instances${whose} now`,
  };
}

function onSelected(
  selected: KnownInstance | undefined,
  command: "restart" | "drain" | "resume",
  { question, done }: { readonly question: (name: string) => string; readonly done: (name: string) => string },
): Wish {
  if (selected === undefined) return { refused: "select an instance first" };
  const { name, backend, status } = selected;
  const argument = { ...(backend !== undefined && { backend }), id: status.id };
  return { command, argument, question: question(name), done: done(name) };
}

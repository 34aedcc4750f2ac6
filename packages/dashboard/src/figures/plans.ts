import type { Action, ProfileWish } from "../api/actions.ts";
import type { ClusterStatus } from "../api/types.ts";

/** What somebody is about to ask for. `backend`: whose program is meant; undefined: the app. */
export type Plan = ActionPlan | ProfilePlan;

/** Something of the cluster is changed. */
export type ActionPlan =
  | { readonly kind: "reload" | "canary" | "scale" }
  | ({ readonly kind: "restart" | "drain" | "resume" } & OneInstance);

/** A file is made of what an instance does. */
export type ProfilePlan = { readonly kind: "profile" } & OneInstance;

interface OneInstance {
  readonly backend: string | undefined;
  readonly id: number;
}

/** A question of the dialog before it is done. */
export interface Question {
  readonly name: "backend" | "parallelism" | "rollback" | "share" | "minutes" | "instances" | "profile" | "seconds";
  readonly label: string;
  readonly kind: "number" | "choice";
  readonly first: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly { readonly value: string; readonly name: string }[];
}

export interface PlanWords {
  readonly title: string;
  readonly what: string;
  /** On the button that does it. */
  readonly verb: string;
  readonly questions: readonly Question[];
}

const all = "";

/** What is asked of somebody before it is done. */
export function wordsFor(plan: Plan, { instances, backends }: ClusterStatus): PlanWords {
  const programs = backends.filter((backend) => backend.instances.length > 0).map(({ name }) => name);
  const groups = [...(instances.length > 0 ? ["app"] : []), ...programs];
  const which = (names: readonly string[]): readonly Question[] =>
    names.length < 2
      ? []
      : [
          {
            name: "backend",
            label: "Of",
            kind: "choice",
            first: names[0]!,
            choices: names.map((value) => ({ value, name: value === all ? "all of them" : value })),
          },
        ];
  switch (plan.kind) {
    case "reload":
      return {
        title: "Reload",
        what: "Every instance is replaced by a new process of the program as it is deployed now; no request is dropped. A failure is taken back.",
        verb: "Reload",
        questions: [
          ...which(groups.length < 2 ? groups : [all, ...groups]),
          { name: "parallelism", label: "At a time", kind: "number", first: "1", min: 1, max: 1_024 },
          {
            name: "rollback",
            label: "A failure takes back",
            kind: "choice",
            first: "instance",
            choices: [
              { value: "instance", name: "that instance" },
              { value: "set", name: "all of them" },
            ],
          },
        ],
      };
    case "canary":
      return {
        title: "Reload with a canary",
        what: "One new instance gets a share of the requests for a while. If it does worse than the others, the reload is taken back; else all are replaced.",
        verb: "Start the canary",
        questions: [
          ...which(groups),
          { name: "share", label: "Share, in %", kind: "number", first: "5", min: 1, max: 99 },
          { name: "minutes", label: "Minutes", kind: "number", first: "1", min: 0.1, max: 1_440 },
        ],
      };
    case "scale":
      return {
        title: "Scale",
        what: "Instances are started, or drained and ended, until there are so many.",
        verb: "Scale",
        questions: [
          ...which(groups),
          {
            name: "instances",
            label: "Instances",
            kind: "number",
            first: String(instances.length || backends.find(({ name }) => name === programs[0])?.instances.length || 1),
            min: 1,
            max: 1_024,
          },
        ],
      };
    case "restart":
      return {
        title: `Restart ${nameOf(plan)}`,
        what: "A new process is started beside it and takes over; the old one finishes what it has begun.",
        verb: "Restart",
        questions: [],
      };
    case "drain":
      return {
        title: `Drain ${nameOf(plan)}`,
        what: "It finishes what it has and gets nothing new, until it is resumed. Its process goes on.",
        verb: "Drain",
        questions: [],
      };
    case "resume":
      return { title: `Resume ${nameOf(plan)}`, what: "It gets requests again.", verb: "Resume", questions: [] };
    case "profile":
      return {
        title: `Profile ${nameOf(plan)}`,
        what: "A file for the developer tools of Chromium: what its processor is busy with for some seconds, or all that is in its memory, for which it stops and takes several times as much.",
        verb: "Take it",
        questions: [
          {
            name: "profile",
            label: "What",
            kind: "choice",
            first: "cpu",
            choices: [
              { value: "cpu", name: "CPU profile" },
              { value: "heap", name: "heap snapshot" },
            ],
          },
          { name: "seconds", label: "Seconds, of the CPU", kind: "number", first: "10", min: 1, max: 60 },
        ],
      };
  }
}

function nameOf({ backend, id }: OneInstance): string {
  return backend === undefined ? `instance ${id}` : `instance ${id} of ${backend}`;
}

/** What is sent, from what was answered. */
export function actionOf(plan: ActionPlan, answers: Readonly<Record<string, string>>): Action {
  const { backend: given, parallelism, rollback, share, minutes, instances } = answers;
  const backend = given === undefined || given === all ? {} : { backend: given };
  switch (plan.kind) {
    case "reload":
      return { action: "reload", ...backend, options: { parallelism: Number(parallelism), rollback } };
    case "canary":
      return {
        action: "canary",
        ...backend,
        share: Number(share) / 100,
        forMs: Math.round(Number(minutes) * 60_000),
      };
    case "scale":
      return { action: "scale", ...backend, instances: Number(instances) };
    case "restart":
    case "drain":
    case "resume":
      return { action: plan.kind, id: plan.id, ...(plan.backend !== undefined && { backend: plan.backend }) };
  }
}

/** What is asked for, from what was answered. */
export function profileOf(
  { id, backend }: ProfilePlan,
  { profile, seconds }: Readonly<Record<string, string>>,
): ProfileWish {
  const of = { instance: id, ...(backend !== undefined && { backend }) };
  return profile === "heap" ? { ...of, kind: "heap" } : { ...of, kind: "cpu", seconds: Number(seconds) };
}

/** How often what happened since the cluster began. Plain JSON. */
export interface Tallies {
  /** Processes that ended, by the instance's id and the reason of the event `exit`. */
  readonly exits: Readonly<Record<number, Readonly<Record<string, number>>>>;
  /** The same of named backends that are programs here, by name. */
  readonly backendExits: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Times that an instance was taken out of rotation for its health, by its id. */
  readonly ejections: Readonly<Record<number, number>>;
  /** The same of endpoints of named backends, by name and URL. */
  readonly backendEjections: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Reloads and restarts that operators asked for, by what became of them. */
  readonly reloads: { readonly finished: number; readonly "rolled-back": number };
  /** Changes of size by the option `autoscale`. */
  readonly autoscalings: number;
  /** Alerts (option `alerts`), by rule and state of the event `alert`. */
  readonly alerts: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

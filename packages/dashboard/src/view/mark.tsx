import type { ComponentChildren } from "preact";
import type { Tone } from "../figures/state-tone.ts";

/** A state: its name, and a colour beside it. */
export function Mark({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`mark ${tone}`}>
      <span class="dot" aria-hidden="true" />
      {children}
    </span>
  );
}

export interface ChoiceProps<Value> {
  readonly label: string;
  readonly options: readonly { readonly name: string; readonly value: Value }[];
  readonly chosen: Value;
  readonly choose: (value: Value) => void;
}

/** One of a few. */
export function Choice<Value>({ label, options, chosen, choose }: ChoiceProps<Value>) {
  return (
    <fieldset class="choice">
      <legend class="hidden">{label}</legend>
      {options.map(({ name, value }) => (
        <button type="button" key={name} aria-pressed={value === chosen} onClick={() => choose(value)}>
          {name}
        </button>
      ))}
    </fieldset>
  );
}

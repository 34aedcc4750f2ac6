const themes = ["system", "light", "dark"] as const;
export type ThemeName = (typeof themes)[number];

const key = "lb-theme";

/** Light, dark, or as the system says. */
export class Theme {
  readonly name: ThemeName;

  constructor(name: ThemeName) {
    this.name = name;
  }

  get next(): Theme {
    return new Theme(themes[(themes.indexOf(this.name) + 1) % themes.length]!);
  }

  apply(): void {
    const { dataset } = document.documentElement;
    if (this.name === "system") delete dataset["theme"];
    else dataset["theme"] = this.name;
    try {
      localStorage.setItem(key, this.name);
    } catch {
      // A browser that keeps nothing has it for this visit.
    }
    document.dispatchEvent(new Event(themeChanged));
  }
}

/** Told by the document, also where the system changes its mind. */
export const themeChanged = "lb-theme";

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  document.dispatchEvent(new Event(themeChanged)),
);

export function storedTheme(): Theme {
  try {
    const stored = themes.find((name) => name === localStorage.getItem(key));
    return new Theme(stored ?? "system");
  } catch {
    return new Theme("system");
  }
}

/** Programs that were to be here and could not be had, and why. */
export const notHad: readonly { readonly title: string; readonly why: string }[] = [
  {
    title: "Ghost",
    why: "keeps its data in MySQL, which npm does not have, or by better-sqlite3, whose install script downloads a binary",
  },
  {
    title: "Directus",
    why: "needs isolated-vm, whose install script downloads a binary or builds against headers of Node.js that npm does not have; Payload and Strapi are its kind",
  },
];

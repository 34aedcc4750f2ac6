/** Programs that were to be here and could not be had, and why. */
export const notHad: readonly { readonly title: string; readonly why: string }[] = [];

/** The instances a proxy candidate balances over, from `TARGETS=http://127.0.0.1:1,http://127.0.0.1:2`. */
export const targets: readonly string[] = (process.env["TARGETS"] ?? "").split(",").filter((target) => target !== "");

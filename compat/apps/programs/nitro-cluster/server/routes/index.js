export default defineEventHandler(() => ({ hello: "nitro" }));

// Payload makes the tables by itself in development only, so that is what this is.
process.env.NODE_ENV = "development";
process.env.PAYLOAD_FORCE_DRIZZLE_PUSH = "true";
const { getPayload } = await import("payload");
const { default: config } = await import("./payload.config.js");
const payload = await getPayload({ config });
await payload.create({ collection: "notes", data: { text: "one" } });
process.exit(0);

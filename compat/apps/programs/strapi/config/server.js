module.exports = ({ env }) => ({
  host: env("HOST", "0.0.0.0"),
  port: env.int("PORT", 1337),
  app: { keys: ["one", "two"] },
  logger: { startup: { enabled: false }, updates: { enabled: false } },
});

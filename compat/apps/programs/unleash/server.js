const unleash = require("unleash-server");

unleash.start({
  db: { connectionString: process.env.DATABASE_URL, ssl: false },
  server: { port: process.env.PORT },
  authentication: { type: "none" },
  versionCheck: { enable: false },
  telemetry: false,
});

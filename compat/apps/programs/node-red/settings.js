module.exports = {
  flowFile: "flows.json",
  uiPort: process.env.PORT,
  logging: { console: { level: "warn" } },
  credentialSecret: "a secret",
};

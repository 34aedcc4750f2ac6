module.exports = () => ({
  auth: { secret: "a secret" },
  apiToken: { salt: "salt" },
  transfer: { token: { salt: "salt" } },
  secrets: { encryptionKey: "a-key-of-thirty-two-characters-00" },
  serveAdminPanel: false,
});

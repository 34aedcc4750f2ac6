module.exports = ({ env }) => ({
  connection: { client: "postgres", connection: { connectionString: env("DATABASE_URL") }, pool: { min: 1, max: 4 } },
});

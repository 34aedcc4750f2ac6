const express = require("express");
const { ParseServer } = require("parse-server");

async function main() {
  const app = express();
  const parse = new ParseServer({
    appId: "gauntlet",
    masterKey: "master",
    databaseURI: process.env.DATABASE_URL,
    serverURL: `http://localhost:${process.env.PORT}/parse`,
    cloud: "./cloud.js",
    silent: true,
    allowClientClassCreation: true,
  });
  await parse.start();
  app.use("/parse", parse.app);
  app.listen(process.env.PORT);
}
main();

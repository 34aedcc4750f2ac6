const { RestApplication, RestServer } = require("@loopback/rest");

async function main() {
  const app = new RestApplication({
    rest: { port: Number(process.env.PORT), host: "127.0.0.1", gracePeriodForClose: 1000 },
  });
  const server = await app.getServer(RestServer);
  server.route("get", "/hello", { responses: {} }, () => "hello loopback");
  await app.start();
}
main();

import { Server } from "@hocuspocus/server";

new Server({ port: Number(process.env.PORT), quiet: true }).listen();

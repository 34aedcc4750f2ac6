import { Ignitor } from "@adonisjs/core";

const root = new URL("../", import.meta.url);
const importer = (path) => (path.startsWith("./") ? import(new URL(path, root).href) : import(path));
new Ignitor(root, { importer })
  .tap((app) => {
    app.listen("SIGTERM", () => app.terminate());
  })
  .httpServer()
  .start();

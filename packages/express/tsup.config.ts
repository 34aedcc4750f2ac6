import { defineConfig } from "tsup";
import { library } from "../../tsup.library.ts";

// Fastify and helmet are optional, so what needs them is apart.
export default defineConfig({
  ...library,
  entry: ["src/index.ts", "src/fastify.ts", "src/helmet.ts", "src/fastify-helmet.ts"],
});

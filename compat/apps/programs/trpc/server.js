import { initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";

const t = initTRPC.create();
const router = t.router({
  hello: t.procedure.input(String).query(({ input }) => `hello ${input}`),
  add: t.procedure.input((value) => value).mutation(({ input: [a, b] }) => a + b),
  count: t.procedure.subscription(async function* () {
    for (let number = 1; number <= 3; number += 1) yield number;
  }),
});
createHTTPServer({ router }).listen(process.env.PORT);

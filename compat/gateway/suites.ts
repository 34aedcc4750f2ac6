import { expressHttpProxy } from "./express-http-proxy.ts";
import { fastifyHttpProxy } from "./fastify-http-proxy.ts";
import { fastifyReplyFrom } from "./fastify-reply-from.ts";
import { httpProxyMiddleware } from "./http-proxy-middleware.ts";
import { type Case, Stage, type Suite } from "./suite.ts";

export const suites: readonly Suite[] = [httpProxyMiddleware, fastifyHttpProxy, fastifyReplyFrom, expressHttpProxy];

const patienceMs = 20_000;

/** Why what a case says does not hold; undefined: it does. */
export async function failureOf(one: Case): Promise<string | undefined> {
  const stage = new Stage();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patienceMs} ms`)), patienceMs);
  });
  try {
    await Promise.race([one.run(stage), late]);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n", 1)[0]!;
  } finally {
    clearTimeout(timer);
    await stage.close();
  }
}

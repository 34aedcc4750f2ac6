import helmet, { type FastifyHelmetOptions } from "@fastify/helmet";
import type { FastifyPluginAsync } from "fastify";
import fp from "fastify-plugin";

export type { FastifyHelmetOptions } from "@fastify/helmet";

/**
 * Security headers for the whole app, by `@fastify/helmet`, whose options these are. What a target of `lbFastify` says
 * itself counts instead.
 */
export const securityHeaders: FastifyPluginAsync<FastifyHelmetOptions> = fp(
  async (app, options: FastifyHelmetOptions) => {
    await app.register(helmet, options);
  },
  { fastify: "5.x", name: "@lb/express/security-headers" },
);

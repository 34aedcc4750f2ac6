import { createServer } from "node:http";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginDrainHttpServer } from "@apollo/server/plugin/drainHttpServer";
import { expressMiddleware } from "@as-integrations/express5";
import { makeExecutableSchema } from "@graphql-tools/schema";
import express from "express";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = makeExecutableSchema({
  typeDefs: `
    type Query { hello: String }
    type Subscription { count(to: Int!): Int }
  `,
  resolvers: {
    Query: { hello: () => "world" },
    Subscription: {
      count: {
        async *subscribe(_, { to }) {
          for (let number = 1; number <= to; number += 1) yield { count: number };
        },
      },
    },
  },
});
const app = express();
const httpServer = createServer(app);
const subscriptions = useServer({ schema }, new WebSocketServer({ server: httpServer, path: "/graphql" }));
const server = new ApolloServer({
  schema,
  csrfPrevention: false,
  plugins: [
    ApolloServerPluginDrainHttpServer({ httpServer }),
    {
      async serverWillStart() {
        return {
          async drainServer() {
            await subscriptions.dispose();
          },
        };
      },
    },
  ],
});
await server.start();
app.use("/graphql", express.json(), expressMiddleware(server));
httpServer.listen(process.env.PORT);

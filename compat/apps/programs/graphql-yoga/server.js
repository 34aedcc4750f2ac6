import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";

const schema = createSchema({
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
createServer(createYoga({ schema, logging: false })).listen(process.env.PORT);

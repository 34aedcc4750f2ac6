import { expect, test } from "vitest";
import { currentInstance } from "./current-instance.ts";

const instance = { INSTANCE_ID: "2", NODE_APP_INSTANCE: "1", INSTANCE_PORT: "3002", HOST: "127.0.0.1" };

test("an instance knows its id, port and host", () => {
  expect(currentInstance(instance)).toEqual({ id: 2, port: 3002, host: "127.0.0.1" });
});

test("a process that has only some of the variables, or such of someone else, is none", () => {
  expect(currentInstance({})).toBeUndefined();
  for (const name of Object.keys(instance))
    expect(currentInstance({ ...instance, [name]: undefined }), name).toBeUndefined();
  expect(currentInstance({ ...instance, NODE_APP_INSTANCE: "2" })).toBeUndefined();
});

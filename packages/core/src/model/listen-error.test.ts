import { expect, test } from "vitest";
import { ListenError } from "./listen-error.ts";
import type { ListenerAddress } from "./listener-address.ts";

const tcp: ListenerAddress = { kind: "tcp", host: "::", port: 80 };
const unix: ListenerAddress = { kind: "unix", path: "/run/a.sock" };

test.each<[ListenerAddress, string, string, RegExp]>([
  [tcp, "EADDRINUSE", "LB_PORT_BUSY", /^Cannot listen on \[::\]:80: the port is in use .* or change the option "x"\.$/],
  [tcp, "EACCES", "LB_PORT_DENIED", /to one above 1023, or grant the right to bind it: setcap /],
  [tcp, "EADDRNOTAVAIL", "LB_LISTEN", /this machine has no such address/],
  [tcp, "EINVAL", "LB_LISTEN", /^Cannot listen on \[::\]:80: listen EINVAL$/],
  [
    unix,
    "EADDRINUSE",
    "LB_PATH_BUSY",
    /^Cannot listen on unix:\/run\/a\.sock: another process listens there, or .*"x"\.$/,
  ],
  [unix, "EACCES", "LB_PATH_DENIED", /there is no such directory, or this user may not make a file in it/],
  [
    { kind: "fd", fd: 3 },
    "EINVAL",
    "LB_LISTEN",
    /^Cannot listen on fd:3: this descriptor is no stream socket .*"x"\.$/,
  ],
])("%j: %s", (address, systemCode, code, message) => {
  const cause = Object.assign(new Error(`listen ${systemCode}`), { code: systemCode });
  const error = new ListenError({ address, remedy: 'the option "x"' }, cause);
  expect(error).toMatchObject({ code, cause, name: "ListenError" });
  expect(error.message).toMatch(message);
});

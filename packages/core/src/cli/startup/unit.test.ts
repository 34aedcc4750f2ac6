import { expect, test } from "vitest";
import { type ServiceFacts, serviceUnit, socketUnit } from "./unit.ts";

const facts: ServiceFacts = {
  name: "shop",
  command: ["/usr/bin/node", "/lb", "start", 'a "b" $c 50%\\', ""],
  lb: ["/usr/bin/node", "/lb"],
  cwd: "/srv/50%",
  user: "www",
  env: { PATH: '/a "b"\n$c%d' },
  endMs: 1_000,
  lowPorts: false,
  keepsState: false,
  sockets: ["/run/50%.sock"],
};

test("what systemd would read otherwise is escaped, wherever it stands", () => {
  const unit = serviceUnit(facts, false);
  expect(unit).toContain("\nWorkingDirectory=/srv/50%%\n");
  expect(unit).toContain('\nEnvironment="PATH=/a \\"b\\"\\n$c%%d"\n');
  expect(unit).toContain('\nExecStart=/usr/bin/node /lb start "a \\"b\\" $$c 50%%\\\\" ""\n');
  expect(socketUnit(facts)).toContain("\nListenStream=/run/50%%.sock\n");
});

test("a name, a directory or a user with a line feed in it is no setting more", () => {
  const evil = "x\nExecStartPre=/bin/evil";
  const unit = serviceUnit({ ...facts, name: evil, cwd: evil, user: evil, sockets: [] }, false);
  expect(unit).not.toMatch(/^ExecStartPre/m);
});

import { ask } from "../../control/control-client.ts";
import type { ControlAddress } from "../../control/control-directory.ts";
import { type Clock, every } from "../../model/clock.ts";
import { Feed } from "./feed.ts";
import { frame } from "./frame.ts";
import { heard, type Known, nothingKnown } from "./known.ts";
import type { Order } from "./order.ts";
import { Screen } from "./screen.ts";
import type { Look } from "./screen-diff.ts";
import type { Charset } from "./sparkline.ts";
import { firstView, type Notice, type Pressed, pressed, type View } from "./view.ts";

export interface MonitOptions {
  readonly address: ControlAddress;
  readonly find: (name: string) => Promise<ControlAddress>;
  readonly clock: Clock;
  readonly look: Look;
  readonly charset: Charset;
}

/** What comes is gathered for so long: nobody reads faster. */
const frameMs = 100;
/** What was said stays until the next key, or for so long. */
const noticeMs = 10_000;

/** Shows a cluster until whoever looks has enough. Resolves with the signal that ended it, if one did. */
export function monit(options: MonitOptions): Promise<NodeJS.Signals | undefined> {
  const { address, find, clock, look, charset } = options;
  return new Promise((resolve) => {
    let [known, view]: [Known, View] = [nothingKnown, firstView];
    let due = false;
    const draw = () => screen.show(frame(known, view, { ...screen.size, charset, now: clock.now() }));
    const drawSoon = () => {
      if (due) return;
      due = true;
      clock.after(frameMs, () => {
        due = false;
        draw();
      });
    };
    const finish = (signal?: NodeJS.Signals) => {
      seconds.cancel();
      feed.close();
      screen.close();
      resolve(signal);
    };
    const notice = (text: string, style: Notice["style"]) => {
      const said = { text, style };
      view = { ...view, notice: said };
      drawSoon();
      clock.after(noticeMs, () => {
        if (view.notice === said) view = { ...view, notice: undefined };
      });
    };
    const give = async ({ command, argument, done }: Order) => {
      notice(`${command}: under way`, "warn");
      try {
        await ask({ path: feed.address.path, command, argument });
        notice(done, "good");
      } catch (error) {
        notice((error as Error).message, "bad");
      }
    };
    const follow = ({ view: next, effect }: Pressed) => {
      view = next;
      switch (effect?.kind) {
        case "quit":
          finish();
          return;
        case "suspend":
          screen.suspend();
          return;
        case "redraw":
          screen.redraw();
          return;
        case "order":
          void give(effect.order);
      }
      draw();
    };
    const screen = new Screen({
      input: process.stdin,
      output: process.stdout,
      look,
      pressed: (key) => follow(pressed(view, key, known)),
      changed: draw,
      ended: finish,
    });
    const feed = new Feed({
      address,
      find,
      heard: (news) => {
        known = heard(known, news);
        drawSoon();
      },
      clock,
    });
    // How long something lasts is shown, too; and somebody has to be there to see it.
    const seconds = every(clock, 1_000, drawSoon);
    draw();
  });
}

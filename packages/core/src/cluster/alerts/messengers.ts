import type { WallClock } from "../../model/clock.ts";
import { OptionError } from "../../model/errors.ts";
import { calledFunction } from "../../notify/called-function.ts";
import { mail, type Nodemailer } from "../../notify/mail.ts";
import type { Messenger } from "../../notify/messenger.ts";
import { slack } from "../../notify/slack.ts";
import { webhook } from "../../notify/webhook.ts";
import type { AlertSettings } from "../../options/alert-options.ts";
import { optionalPackage } from "../optional-package.ts";

/** One for each target. @throws OptionError if a package is not installed that one needs */
export function messengersFor({ to }: AlertSettings, wallClock: WallClock): readonly Messenger[] {
  return to.map((target, at) => {
    if (typeof target === "function") return calledFunction(target);
    if ("webhook" in target) return webhook({ url: target.webhook, secret: target.secret, wallClock });
    if ("slack" in target) return slack(target.slack);
    return mail(target.mail, nodemailer(`alerts.to[${at}].mail`, target.mail));
  });
}

function nodemailer(option: string, given: object): Nodemailer {
  const found = optionalPackage("nodemailer");
  if (found !== undefined) return found as Nodemailer;
  const remedy = "the package nodemailer sends mail: install it beside @lb/core (npm install nodemailer)";
  throw new OptionError(option, given, remedy);
}

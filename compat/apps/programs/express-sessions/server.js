const express = require("express");
const session = require("express-session");
const passport = require("passport");
const { Strategy } = require("passport-local");

passport.use(new Strategy((name, password, done) => done(null, password === "secret" ? { name } : false)));
passport.serializeUser((user, done) => done(null, user.name));
passport.deserializeUser((name, done) => done(null, { name }));

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(session({ secret: "keyboard cat", resave: false, saveUninitialized: false }));
app.use(passport.session());
app.get("/", (request, response) => response.send(`hello ${request.user?.name ?? "stranger"}`));
app.get("/me", (request, response) => {
  if (request.user === undefined) response.redirect("/");
  else response.json(request.user);
});
app.post("/login", passport.authenticate("local", { successRedirect: "/me", failureRedirect: "/" }));
app.post("/logout", (request, response, next) => {
  request.logout((error) => (error ? next(error) : response.redirect("/")));
});
app.listen(process.env.PORT);

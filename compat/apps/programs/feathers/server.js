const { feathers } = require("@feathersjs/feathers");
const express = require("@feathersjs/express");
const socketio = require("@feathersjs/socketio");
const { NotFound } = require("@feathersjs/errors");

const notes = [
  { id: 1, text: "one" },
  { id: 2, text: "two" },
];
const app = express(feathers());
app.use(express.json());
app.configure(express.rest());
app.configure(socketio());
app.use("/notes", {
  async find() {
    return notes;
  },
  async get(id) {
    const note = notes.find((one) => one.id === Number(id));
    if (note === undefined) throw new NotFound("no such note");
    return note;
  },
});
app.use(express.notFound());
app.use(express.errorHandler({ logger: false }));
app.listen(process.env.PORT);

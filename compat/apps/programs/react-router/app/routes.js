import { index, route } from "@react-router/dev/routes";

export default [
  index("home.jsx"),
  route("people/:name", "person.jsx"),
  route("away", "away.js"),
  route("form", "form.js"),
];

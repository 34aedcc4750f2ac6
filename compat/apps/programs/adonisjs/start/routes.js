import router from "@adonisjs/core/services/router";

router.get("/", () => ({ hello: "adonis" }));
router.get("/away", ({ response }) => response.redirect("/"));
router.post("/echo", ({ request }) => request.all());

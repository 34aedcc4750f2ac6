module.exports = {
  register() {},
  async bootstrap({ strapi }) {
    const role = await strapi.db.query("plugin::users-permissions.role").findOne({ where: { type: "public" } });
    if (role === null) return;
    const permission = { action: "api::note.note.find", role: role.id };
    const found = await strapi.db.query("plugin::users-permissions.permission").findOne({ where: permission });
    if (found === null) await strapi.db.query("plugin::users-permissions.permission").create({ data: permission });
  },
};

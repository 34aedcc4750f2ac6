export async function action({ request }) {
  return Response.json(Object.fromEntries(await request.formData()));
}

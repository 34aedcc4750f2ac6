export function GET({ url }) {
  return Response.json({ hello: "astro", href: url.href });
}

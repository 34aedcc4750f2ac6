export const dynamic = "force-dynamic";

export default async function Person({ params }) {
  const { name } = await params;
  return <h1>{name}</h1>;
}

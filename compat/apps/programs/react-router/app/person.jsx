export function loader({ params }) {
  return { name: params.name };
}

export default function Person({ loaderData }) {
  return <h1>{loaderData.name}</h1>;
}

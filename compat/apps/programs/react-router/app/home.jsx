import { Link } from "react-router";

export default function Home() {
  return <Link to="/people/ada">Ada</Link>;
}

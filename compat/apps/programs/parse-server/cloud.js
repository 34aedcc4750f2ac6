Parse.Cloud.define("hello", ({ params }) => `hello ${params.name}`);

// Passes requests on, for a client that can show no token and asks for fixed names: `with-token.mjs PORT TOKEN`. Prints the port that it
// listens on. A tool of a plugin has the plugin's name before its own, and a resource its own scheme: `test_simple_text` is asked for as
// `suite.simple_text`, and `test://static-text` as `nekro://suite/static-text`; an argument has no capitals. Nothing else is changed.
import http from "node:http";

const [port, token] = process.argv.slice(2);

function renamed(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return text;
  }
  const { method, params } = message;
  if (method === "tools/call") params.name = params.name.replace(/^test_/, "suite.");
  if (/^resources\/(read|subscribe|unsubscribe)$/.test(method)) params.uri = params.uri.replace(/^test:\/\//, "nekro://suite/");
  const given = method === "prompts/get" ? params.arguments : undefined;
  if (given && "resourceUri" in given) {
    given.resource_uri = given.resourceUri;
    delete given.resourceUri;
  }
  return JSON.stringify(message);
}

const server = http.createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = pieces.length === 0 ? "" : renamed(Buffer.concat(pieces).toString());
  const headers = { ...request.headers, authorization: `Bearer ${token}` };
  delete headers["transfer-encoding"];
  if (pieces.length > 0) headers["content-length"] = Buffer.byteLength(body);
  const onward = http.request({ host: "127.0.0.1", port, method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  onward.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

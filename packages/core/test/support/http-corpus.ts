import { badInputs } from "./bad-inputs.ts";

/** Well-formed and merely odd messages to mutate, latin1, and what to splice into them. */

const browser =
  "GET /assets/app.js?v=20240517 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n" +
  'sec-ch-ua: "Chromium";v="124", "Not-A.Brand";v="99"\r\nsec-ch-ua-mobile: ?0\r\n' +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0\r\n" +
  "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nReferer: https://www.example.com/\r\n" +
  "Accept-Encoding: gzip, deflate, br\r\nCookie: session=3f2a8b7c9d; theme=dark\r\n\r\n";

const host = "Host: a.example\r\n";

export const chunkedBodies: readonly string[] = [
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  "A\r\n0123456789\r\na\r\n0123456789\r\n00\r\n\r\n",
  "005\r\nhello\r\n000\r\n\r\n",
  `100\r\n${"x".repeat(256)}\r\n0\r\n\r\n`,
  "2;a\r\nab\r\n0\r\n\r\n",
  '2;a=b;c="d e";f="\\""\r\nab\r\n0;last\r\n\r\n',
  "2\r\nab\r\n0\r\nX-Checksum: abc\r\n\r\n",
  "2\r\nab\r\n0\r\nX-Checksum: abc\r\nExpires: 0\r\nX-B:\r\n\r\n",
  "2\r\n\r\n\r\n0\r\n\r\n",
];

export const requests: readonly string[] = [
  `GET / HTTP/1.1\r\n${host}\r\n`,
  "GET /api/whoami HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nAccept: */*\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  `GET / HTTP/1.0\r\n${host}Connection: Keep-Alive\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n`,
  browser,
  `\r\n\r\nGET /after/empty/lines HTTP/1.1\r\n${host}\r\n`,
  `HEAD /a?b=c&d=%20 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
  `GET http://b.example:8080/x?y HTTP/1.1\r\n${host}\r\n`,
  `OPTIONS http://b.example HTTP/1.1\r\n${host}\r\n`,
  "GET / HTTP/1.1\r\nHost: [2001:db8::1]:3000\r\n\r\n",
  `POST /form HTTP/1.1\r\n${host}Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world`,
  `POST /empty HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
  `PUT /zeros HTTP/1.1\r\n${host}Content-Length: 0002\r\n\r\nab`,
  `POST / HTTP/1.0\r\n${host}Content-Length: 2\r\n\r\nab`,
  `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab`,
  `DELETE /a HTTP/1.1\r\n${host}X-Empty:\r\nX-Spaces: \t b \t \r\nX-Latin: \xe4\xf6\xfc\r\n\r\n`,
  `M-SEARCH /a HTTP/1.1\r\n${host}\r\n`,
  `GET / HTTP/1.1\r\n${host}Connection: x-a, keep-alive\r\nX-A: b\r\nx-a: c\r\nKeep-Alive: 5\r\n\r\n`,
  `GET / HTTP/1.1\r\n${host}X-Forwarded-For: 6.6.6.6\r\nForwarded: for=x\r\nX_Real_IP: 6.6.6.6\r\n\r\n`,
  `GET / HTTP/1.1\r\n${host}TE: trailers\r\nConnection: TE\r\nTrailer: X-A\r\nProxy: p\r\n\r\n`,
  `GET /socket HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  `GET / HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
  ...chunkedBodies.map((body) => `POST /upload HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${body}`),
];

/** The catalogue's, most of which are refused as they stand. */
export const badRequests: readonly string[] = badInputs
  .map(({ bytes }) => bytes)
  .filter(({ length }) => length < 2_048);

const date = "Date: Fri, 17 May 2024 08:00:00 GMT\r\n";

export const responses: readonly string[] = [
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n${date}Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhello`,
  `HTTP/1.1 200 OK\r\n${date}Content-Length: 0\r\n\r\n`,
  "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nuntil the end",
  "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
  "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
  "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab",
  "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nab",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
  "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
  "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
  "HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 500 Internal Server Error\r\nConnection: x-a\r\nX-A: b\r\nTrailer: X-B\r\nContent-Length: 2\r\n\r\nab",
  ...chunkedBodies.map((body) => `HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\n\r\n${body}`),
];

/** What parsers have been known to disagree about. */
export const dictionary: readonly string[] = [
  ...'\r \n \r\n \r\n\r\n \0 \t : , ; = " \\ # ? * / // @ [ ] % \x7f \x80 \xff \v \f'.split(" "),
  " ",
  "  ",
  "\r\n ",
  "\n\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "content-length:2\r\n",
  "Transfer-Encoding: chunked\r\n",
  "transfer-encoding:\tCHUNKED \r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: chunked, identity\r\n",
  "Transfer_Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Connection: upgrade\r\n",
  "Connection: ,, Close ,\r\n",
  "Connection: x-a\r\n",
  "Proxy-Connection: close\r\n",
  "Upgrade: websocket\r\n",
  "Upgrade: foo/1\r\n",
  "Upgrade: h2c\r\n",
  "Expect: 100-continue\r\n",
  "Host: b.example\r\n",
  "Host:\r\n",
  "X-Forwarded-For: 6.6.6.6\r\n",
  "x-forwarded-proto: https\r\n",
  "X-Forwarded-Anything: a\r\n",
  "X_Forwarded_Host: b\r\n",
  "TE: trailers\r\n",
  "Trailer: X-A\r\n",
  "__proto__: a\r\n",
  "Set-Cookie: a=b\r\n",
  "HTTP/1.0",
  "HTTP/1.1",
  "HTTP/2.0",
  "http://b.example",
  "https://b.example:1/",
  "GET ",
  "PRI ",
  "0\r\n\r\n",
  "1\r\na\r\n",
  "0x",
  ";a=b",
  ';a="b"',
  "00000000000000000",
  "FFFFFFFFFFFFF",
  "chunked",
  ",chunked",
  "100-continue",
  "200",
  "204",
  "304",
  "101",
];

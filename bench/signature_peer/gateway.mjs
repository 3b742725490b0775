// A signing gateway as one would write it with npm's http-message-signatures: mutual TLS between two of them, RFC 9421
// over request and answer, Content-Digest, and a log that is on the disk before anything goes on (group commit).
// node gateway.mjs consumer|provider PORT NEXT_PORT HOME; the folder with node_modules is in SMARTGOV_PEERS.
// It has no rights, no limits, no encryption of bodies, no Merkle log: it does less than the gateways beside it.
import { createRequire } from "node:module";
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

const require = createRequire(`${process.env.SMARTGOV_PEERS}/signatures/`);
const { httpbis } = require("http-message-signatures");
const [role, port, next, home] = process.argv.slice(2);
const read = (name) => fs.readFileSync(`${home}/${name}`);
const own = createPrivateKey(read("own.key"));
const other = createPublicKey(read("other.pem"));
const tls = { key: read("own.key"), cert: read("own.crt"), ca: read("ca.crt"), minVersion: "TLSv1.3" };
const key = {
  id: role,
  alg: "ecdsa-p256-sha256",
  sign: async (data) => sign("sha256", data, { key: own, dsaEncoding: "ieee-p1363" }),
};
const keyLookup = async () => ({
  algs: ["ecdsa-p256-sha256"],
  verify: async (data, signature) => verify("sha256", data, { key: other, dsaEncoding: "ieee-p1363" }, signature),
});
const ASKED = ["@method", "@authority", "@path", "content-digest", "x-road-client", "x-road-id"];
const ANSWERED = ["@status", "content-digest", '"@method";req', '"@path";req', '"content-digest";req', '"x-road-id";req'];
const digest = (body) => `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

const log = fs.openSync(`${home}/log.jsonl`, "a");
let waiting = [];
let writing = false;
function commit(record) {
  return new Promise((done) => {
    waiting.push([`${JSON.stringify(record)}\n`, done]);
    if (!writing) flush();
  });
}
function flush() {
  writing = true;
  const batch = waiting;
  waiting = [];
  fs.write(log, batch.map(([line]) => line).join(""), (failed) => {
    if (failed) process.exit(74);
    fs.fdatasync(log, (error) => {
      if (error) process.exit(74);
      batch.forEach(([, done]) => done());
      if (waiting.length) flush();
      else writing = false;
    });
  });
}

const agent = role === "consumer" ? new https.Agent({ keepAlive: true, ...tls }) : new http.Agent({ keepAlive: true });
function ask(method, path, headers, body) {
  return new Promise((done, failed) => {
    const library = role === "consumer" ? https : http;
    const options = { host: "127.0.0.1", port: next, method, path, headers, agent, servername: "provider.test" };
    const request = library.request(options, async (answer) => done([answer, await whole(answer)]));
    request.on("error", failed);
    request.end(body);
  });
}
async function whole(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
function need(holds) {
  if (!holds) throw new Error("refused");
}

async function consume(request, body) {
  const names = ["content-type", "x-road-client", "x-road-id", "x-troad-subject", "x-troad-purpose", "x-troad-basis"];
  const headers = Object.fromEntries(names.filter((name) => request.headers[name]).map((name) => [name, request.headers[name]]));
  Object.assign(headers, { host: "provider.test", "content-digest": digest(body), "content-length": body.length });
  const message = { method: request.method, url: `https://provider.test${request.url}`, headers };
  const signed = await httpbis.signMessage({ key, fields: ASKED, name: "troad" }, message);
  await commit({ kind: "request", id: headers["x-road-id"], signature: signed.headers.Signature ?? signed.headers.signature });
  const [answer, text] = await ask(request.method, request.url, signed.headers, body);
  need(answer.headers["content-digest"] === digest(text));
  const response = { status: answer.statusCode, headers: answer.headers };
  need(await httpbis.verifyMessage({ keyLookup, requiredFields: ["content-digest"] }, response, signed));
  await commit({ kind: "answer", id: headers["x-road-id"], signature: answer.headers.signature });
  return [answer.statusCode, { "content-type": answer.headers["content-type"] }, text];
}

async function provide(request, body) {
  need(request.headers["content-digest"] === digest(body));
  const message = { method: request.method, url: `https://${request.headers.host}${request.url}`, headers: request.headers };
  need(await httpbis.verifyMessage({ keyLookup, requiredFields: ASKED }, message));
  await commit({ kind: "request", id: request.headers["x-road-id"], signature: request.headers.signature });
  const names = ["content-type", "content-length", "x-road-id", "x-troad-subject"];
  const passed = Object.fromEntries(names.filter((name) => request.headers[name]).map((name) => [name, request.headers[name]]));
  const [answer, text] = await ask(request.method, request.url, passed, body);
  const headers = { "content-type": answer.headers["content-type"], "content-digest": digest(text), "content-length": text.length };
  const response = { status: answer.statusCode, headers };
  const signed = await httpbis.signMessage({ key, fields: ANSWERED, name: "troad" }, response, message);
  await commit({ kind: "answer", id: request.headers["x-road-id"], signature: signed.headers.Signature ?? signed.headers.signature });
  return [answer.statusCode, signed.headers, text];
}

const handle = async (request, response) => {
  try {
    const [status, headers, text] = await (role === "consumer" ? consume : provide)(request, await whole(request));
    response.writeHead(status, { ...headers, "content-length": text.length });
    response.end(text);
  } catch (error) {
    response.writeHead(502, { "content-length": 0 });
    response.end();
    console.error(error);
  }
};
const server = role === "consumer" ? http.createServer(handle) : https.createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, handle);
server.keepAliveTimeout = 60_000;
server.listen(Number(port), "127.0.0.1");

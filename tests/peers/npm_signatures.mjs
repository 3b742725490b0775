// Verify a request and its answer with npm's http-message-signatures, and sign others: JSON in, JSON out.
import { createRequire } from "node:module";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import fs from "node:fs";

const require = createRequire(`${process.argv[2]}/`);
const { httpbis } = require("http-message-signatures");
const told = JSON.parse(fs.readFileSync(0, "utf8"));
const dsaEncoding = "ieee-p1363";
const keyLookup = async () => ({
  algs: ["ecdsa-p256-sha256"],
  verify: async (data, signature) => verify("sha256", data, { key: createPublicKey(told.public), dsaEncoding }, signature),
});
const key = {
  id: told.keyid,
  alg: "ecdsa-p256-sha256",
  sign: async (data) => sign("sha256", data, { key: createPrivateKey(told.private), dsaEncoding }),
};
const holds = async (...given) => (await httpbis.verifyMessage({ keyLookup, notAfter: told.created + 10 }, ...given)) === true;
const safely = async (...given) => holds(...given).catch(() => false);
const params = ["created", "nonce", "keyid", "tag"];
const paramValues = { created: new Date(told.created * 1000), nonce: told.nonce, tag: "troad-v2" };
const fresh = { ...told.request, headers: told.unsigned };
const made = await httpbis.signMessage({ key, name: "troad", fields: told.fields, params, paramValues }, fresh);
console.log(
  JSON.stringify({
    request: await safely(told.request),
    answer: await safely(told.answer, told.request),
    altered: await safely({ ...told.request, headers: { ...told.request.headers, "x-road-client": "TW/GOV/ris/other" } }),
    moved: await safely(told.answer, { ...told.request, method: "PUT" }),
    made: Object.fromEntries(Object.entries(made.headers).map(([name, value]) => [name.toLowerCase(), value])),
  }),
);

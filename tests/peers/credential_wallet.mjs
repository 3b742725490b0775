// A wallet made of libraries that others wrote: takes a batch by OpenID4VCI, reads it with SD-JWT VC, shows it by OpenID4VP.
// Reads {base, site, offer, txCode, batch, request, list, index} from standard input; writes what it found as JSON.
import { createHash, randomBytes, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";

const home = `${process.argv[2]}/node_modules`;
const load = (name, file = "index.mjs") => import(`${home}/${name}/dist/${file}`);
const { Openid4vciClient } = await load("@openid4vc/openid4vci");
const { clientAuthenticationAnonymous } = await load("@openid4vc/oauth2");
const { Openid4vpClient } = await load("@openid4vc/openid4vp");
const { SDJwtVcInstance } = await load("@sd-jwt/sd-jwt-vc");
const { getListFromStatusListJWT } = await load("@sd-jwt/jwt-status-list");
const jose = await import(`${home}/jose/dist/webapi/index.js`);

const given = JSON.parse(readFileSync(0, "utf8"));
// The parties' addresses are https; on this machine they answer on loopback.
const reach = (url, options) => fetch(String(url).replace(given.site, given.base), options);
const pairs = [];
for (let n = 0; n < given.batch; n += 1) {
  const pair = await jose.generateKeyPair("ES256", { extractable: true });
  pairs.push({ key: pair.privateKey, publicJwk: await jose.exportJWK(pair.publicKey), privateJwk: await jose.exportJWK(pair.privateKey) });
}
const keyOf = (jwk) => pairs.find((one) => one.publicJwk.x === jwk.x).key;
const hasher = (data, algorithm) =>
  new Uint8Array(createHash(String(algorithm).toLowerCase().replace("-", "")).update(typeof data === "string" ? data : Buffer.from(data)).digest());
const callbacks = {
  fetch: reach,
  hash: hasher,
  generateRandom: (length) => new Uint8Array(randomBytes(length)),
  clientAuthentication: clientAuthenticationAnonymous(),
  signJwt: async (signer, { header, payload }) => ({
    jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(keyOf(signer.publicJwk)),
    signerJwk: signer.publicJwk,
  }),
  verifyJwt: async (signer, { compact }) => {
    const pem = `-----BEGIN CERTIFICATE-----\n${signer.x5c[0]}\n-----END CERTIFICATE-----`;
    const key = await jose.importX509(pem, "ES256", { extractable: true });
    await jose.compactVerify(compact, key);
    return { verified: true, signerJwk: await jose.exportJWK(key) };
  },
  encryptJwe: async (encryptor, data) => ({
    jwe: await new jose.CompactEncrypt(new TextEncoder().encode(data))
      .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid })
      .encrypt(await jose.importJWK(encryptor.publicJwk, encryptor.alg)),
    encryptionJwk: encryptor.publicJwk,
  }),
  decryptJwe: async () => ({ decrypted: false }),
  getX509CertificateMetadata: () => ({ sanDnsNames: [], sanUriNames: [] }),
};
const found = {};

// -- OpenID4VCI
const client = new Openid4vciClient({ callbacks });
const credentialOffer = await client.resolveCredentialOffer(given.offer);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
found.version = issuerMetadata.originalDraftVersion;
const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
  credentialOffer, issuerMetadata, txCode: given.txCode,
});
const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
const configuration = credentialOffer.credential_configuration_ids[0];
const proofs = [];
for (const { publicJwk } of pairs) {
  const { jwt } = await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId: configuration, nonce,
    signer: { method: "jwk", alg: "ES256", publicJwk },
  });
  proofs.push(jwt);
}
const { credentialResponse } = await client.retrieveCredentials({
  issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId: configuration,
  proofs: { jwt: proofs },
});
const credentials = credentialResponse.credentials.map((one) => one.credential);
found.count = credentials.length;

// -- SD-JWT VC
const issuerKey = async (compact) => {
  const { x5c } = jose.decodeProtectedHeader(compact.split("~")[0]);
  return jose.importX509(`-----BEGIN CERTIFICATE-----\n${x5c[0]}\n-----END CERTIFICATE-----`, "ES256");
};
const verified = async (data, signature, key) =>
  webcrypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, Buffer.from(signature, "base64url"), Buffer.from(data));
const holder = pairs.find((one) => one.publicJwk.x === jose.decodeJwt(credentials[0].split("~")[0]).cnf.jwk.x);
const issuer = await issuerKey(credentials[0]);
const sdjwt = new SDJwtVcInstance({
  hasher, hashAlg: "sha-256", saltGenerator: () => randomBytes(16).toString("base64url"),
  verifier: (data, signature) => verified(data, signature, issuer),
  kbSigner: async (data) =>
    Buffer.from(await webcrypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, holder.key, Buffer.from(data))).toString("base64url"),
  kbSignAlg: "ES256", signAlg: "ES256",
  statusListFetcher: async () => given.list,
  statusValidator: async (status) => { found.status = status; },
  statusVerifier: (data, signature) => verified(data, signature, issuer),
});
found.claims = (await sdjwt.verify(credentials[0])).payload;

// -- Token Status List
const list = getListFromStatusListJWT(given.list);
found.listed = list.getStatus(given.index);

// -- OpenID4VP
if (given.request) {
  const wallet = new Openid4vpClient({ callbacks });
  const { params } = { params: wallet.parseOpenid4vpAuthorizationRequest({ authorizationRequest: given.request }).params };
  const resolved = await wallet.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
  found.requestVersion = resolved.version;
  found.clientPrefix = resolved.client.prefix;
  const asked = resolved.authorizationRequestPayload;
  const [wanted] = asked.dcql_query.credentials;
  const frame = {};
  for (const { path } of wanted.claims) {
    let here = frame;
    path.forEach((step, at) => { here[step] = at === path.length - 1 ? true : (here[step] ?? {}); here = here[step]; });
  }
  const presentation = await sdjwt.present(credentials[0], frame, {
    kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: asked.client_id, nonce: asked.nonce } },
  });
  const response = await wallet.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: asked,
    authorizationResponsePayload: { vp_token: { [wanted.id]: [presentation] } },
    jarm: { encryption: { nonce: randomBytes(8).toString("base64url") }, serverMetadata: {
      authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ["ECDH-ES"],
      authorization_encryption_enc_values_supported: ["A256GCM"] } },
  });
  const sent = await wallet.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: asked, authorizationResponsePayload: response.authorizationResponsePayload, jarm: response.jarm,
  });
  found.answered = sent.response.status;
}
process.stdout.write(JSON.stringify(found));

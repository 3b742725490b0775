// A certified relying party (npm's openid-client) and the attacks on it; the same script for every provider.
// node relying_party.mjs PEERS ISSUER CLIENT_JSON flows|attacks|measure [COUNT]
import { readFileSync } from 'node:fs';
import { randomUUID, webcrypto } from 'node:crypto';
const [peers, issuer, file, what, count] = process.argv.slice(2);
const rp = await import(`${peers}/openid/node_modules/openid-client/build/index.js`);
const oauth = await import(`${peers}/openid/node_modules/oauth4webapi/build/index.js`);
const given = JSON.parse(readFileSync(file));
let asked = 0; // requests to the provider, whoever sends them
const plainFetch = globalThis.fetch;
globalThis.fetch = (...given) => { asked += 1; return plainFetch(...given); };
const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const key = await webcrypto.subtle.importKey('jwk', given.private_jwk, curve, true, ['sign']);
const signing = { key, kid: given.public_jwk.kid };
const jar = new Map(Object.entries(given.cookies ?? {}));

async function configured(id = given.client_id) {
  return rp.discovery(new URL(issuer), id, { use_mtls_endpoint_aliases: false, id_token_signed_response_alg: 'ES256' },
    rp.PrivateKeyJwt(signing), { execute: [rp.allowInsecureRequests, rp.enableNonRepudiationChecks] });
}
async function browse(url, options = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const answer = await fetch(url, { redirect: 'manual', ...options, headers: { cookie, ...options.headers } });
  for (const line of answer.headers.getSetCookie()) {
    const [pair] = line.split(';');
    const at = pair.indexOf('=');
    jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return answer;
}
// What a browser does in which a person is signed in and agrees: where it is sent in the end, or an error page.
async function visit(url) {
  for (let step = 0, next = String(url); step < 12; step += 1) {
    const answer = await browse(next);
    const to = answer.headers.get('location') ?? answer.headers.get('refresh')?.replace('0; url=', '');
    if (to?.startsWith(given.redirect_uri)) return new URL(to);
    if (to) { next = new URL(to, next).href; continue; }
    const page = await answer.text();
    const value = (name) => page.match(new RegExp(`name="${name}" value="([^"]*)"`))?.[1];
    if (answer.status !== 200 || !value('shown')) return { refused: answer.status };
    const body = new URLSearchParams({ csrfmiddlewaretoken: value('csrfmiddlewaretoken'), shown: value('shown'), answer: 'agree' });
    const agreed = await browse(next, { method: 'POST', body, headers: { referer: next, origin: issuer } });
    return new URL(agreed.headers.get('location'));
  }
  throw new Error('too many redirects');
}
async function begin(config, dpop, scope = 'openid profile', more = {}) {
  const kept = { pkceCodeVerifier: rp.randomPKCECodeVerifier(), expectedState: rp.randomState(), expectedNonce: rp.randomNonce() };
  const parameters = {
    redirect_uri: given.redirect_uri, scope, state: kept.expectedState, nonce: kept.expectedNonce, response_type: 'code',
    code_challenge: await rp.calculatePKCECodeChallenge(kept.pkceCodeVerifier), code_challenge_method: 'S256', ...more,
  };
  return { kept, url: await rp.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: dpop }) };
}
async function signIn(config, dpop, scope, more) {
  const { kept, url } = await begin(config, dpop, scope, more);
  const back = await visit(url);
  const tokens = await rp.authorizationCodeGrant(config, back, kept, undefined, { DPoP: dpop });
  return { tokens, back, kept, url };
}
const proof = async (config) => rp.getDPoPHandle(config, await rp.randomDPoPKeyPair('ES256'));
const code = (error) => error.error ?? error.cause?.parameters?.get?.('error') ?? error.cause?.error ?? error.code ?? String(error);
async function outcome(run) {
  try { return (await run()) ?? 'accepted'; } catch (error) { return `refused: ${code(error)}`; }
}

const flows = {
  'fapi2-security-profile-final-happy-flow': async () => {
    const config = await configured(); const dpop = await proof(config);
    const { tokens } = await signIn(config, dpop);
    const facts = await rp.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP: dpop });
    return tokens.token_type.toLowerCase() === 'dpop' && facts.name ? 'accepted' : 'odd';
  },
  'fapi2-security-profile-final-refresh-token': async () => {
    const config = await configured(); const dpop = await proof(config);
    const { tokens } = await signIn(config, dpop, 'openid profile offline_access', { prompt: 'consent' });
    const again = await rp.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop });
    return again.access_token !== tokens.access_token ? 'accepted' : 'odd';
  },
  // RFC 9449 section 5: the refresh token of a client with a key of its own is not bound to the DPoP key.
  'refresh-with-a-new-dpop-key': async () => {
    const config = await configured(); const dpop = await proof(config);
    const { tokens } = await signIn(config, dpop, 'openid offline_access', { prompt: 'consent' });
    const again = await rp.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: await proof(config) });
    return again.access_token ? 'accepted' : 'odd';
  },
  'introspection-and-revocation': async () => {
    const config = await configured(); const dpop = await proof(config);
    const { tokens } = await signIn(config, dpop);
    const before = await rp.tokenIntrospection(config, tokens.access_token);
    await rp.tokenRevocation(config, tokens.access_token);
    const after = await rp.tokenIntrospection(config, tokens.access_token);
    return before.active && before.cnf.jkt && !after.active ? 'accepted' : 'odd';
  },
  'oauth4webapi-whole-flow': async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
    const client = { client_id: given.client_id };
    const auth = oauth.PrivateKeyJwt(signing);
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const verifier = oauth.generateRandomCodeVerifier(); const state = oauth.generateRandomState();
    const parameters = new URLSearchParams({
      client_id: given.client_id, redirect_uri: given.redirect_uri, scope: 'openid profile', response_type: 'code', state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const pushing = () => oauth.pushedAuthorizationRequest(as, client, auth, parameters, { DPoP, ...insecure });
    let pushed;
    try { pushed = await oauth.processPushedAuthorizationResponse(as, client, await pushing()); } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      pushed = await oauth.processPushedAuthorizationResponse(as, client, await pushing());
    }
    const url = new URL(as.authorization_endpoint);
    url.searchParams.set('client_id', given.client_id); url.searchParams.set('request_uri', pushed.request_uri);
    const answer = oauth.validateAuthResponse(as, client, await visit(url), state);
    const redeeming = () => oauth.authorizationCodeGrantRequest(as, client, auth, answer, given.redirect_uri, verifier, { DPoP, ...insecure });
    let tokens;
    try { tokens = await oauth.processAuthorizationCodeResponse(as, client, await redeeming()); } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      tokens = await oauth.processAuthorizationCodeResponse(as, client, await redeeming());
    }
    const asking = () => oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure });
    let asked = await asking();
    if (asked.status === 401) asked = await asking();
    const facts = await oauth.processUserInfoResponse(as, client, oauth.getValidatedIdTokenClaims(tokens).sub, asked);
    return facts.name ? 'accepted' : 'odd';
  },
};

const form = (members) => new URLSearchParams(members);
async function assertion(config, id = given.client_id, more = {}) {
  const now = Math.floor(Date.now() / 1000);
  return jws({ alg: 'ES256', kid: signing.kid }, { iss: id, sub: id, aud: issuer, iat: now, exp: now + 60, jti: randomUUID(), ...more }, key);
}
async function jws(header, claims, by) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${part(header)}.${part(claims)}`;
  const signature = await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, by, Buffer.from(content));
  return `${content}.${Buffer.from(signature).toString('base64url')}`;
}
const JWT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
async function par(config, more = {}, assert = undefined) {
  const body = form({
    client_id: given.client_id, client_assertion_type: JWT, client_assertion: assert ?? await assertion(config),
    redirect_uri: given.redirect_uri, scope: 'openid', response_type: 'code', state: 's'.repeat(22),
    code_challenge: await rp.calculatePKCECodeChallenge('v'.repeat(43)), code_challenge_method: 'S256', ...more,
  });
  for (const [name, value] of Object.entries(more)) if (value === null) body.delete(name);
  const answer = await fetch(config.serverMetadata().pushed_authorization_request_endpoint, { method: 'POST', body });
  const said = await answer.json();
  if (answer.status !== 201) throw Object.assign(new Error('no'), { error: said.error });
  return said.request_uri;
}
async function userinfo(config, headers) {
  const answer = await fetch(config.serverMetadata().userinfo_endpoint, { headers });
  if (answer.status !== 200) throw Object.assign(new Error('no'), { error: 'invalid_token' });
}
const attacks = {
  'ensure-wrong-code-verifier-fails': async (config, dpop) => {
    const { kept, url } = await begin(config, dpop);
    return rp.authorizationCodeGrant(config, await visit(url), { ...kept, pkceCodeVerifier: 'x'.repeat(43) }, undefined, { DPoP: dpop });
  },
  'ensure-authorization-code-cannot-be-reused': async (config, dpop) => {
    const { back, kept } = await signIn(config, dpop);
    await rp.authorizationCodeGrant(config, back, kept, undefined, { DPoP: dpop });
  },
  'code-reuse-revokes-the-access-token': async (config, dpop) => {
    const { back, kept, tokens } = await signIn(config, dpop);
    await rp.authorizationCodeGrant(config, back, kept, undefined, { DPoP: dpop }).catch(() => 0);
    try { await rp.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP: dpop }); } catch { throw Object.assign(new Error('no'), { error: 'invalid_token' }); }
  },
  'code-with-another-dpop-key': async (config, dpop) => {
    const { kept, url } = await begin(config, dpop);
    await rp.authorizationCodeGrant(config, await visit(url), kept, undefined, { DPoP: await proof(config) });
  },
  'code-of-another-client': async (config, dpop) => {
    const { kept, url } = await begin(config, dpop);
    const back = await visit(url);
    await rp.authorizationCodeGrant(await configured(given.other_client_id), back, kept, undefined, { DPoP: dpop });
  },
  'userinfo-with-another-dpop-key': async (config, dpop) => {
    const { tokens } = await signIn(config, dpop);
    try { await rp.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP: await proof(config) }); } catch { throw Object.assign(new Error('no'), { error: 'invalid_token' }); }
  },
  'dpop-token-shown-as-bearer': async (config, dpop) => {
    const { tokens } = await signIn(config, dpop);
    await userinfo(config, { authorization: `Bearer ${tokens.access_token}` });
  },
  'dpop-token-without-proof': async (config, dpop) => {
    const { tokens } = await signIn(config, dpop);
    await userinfo(config, { authorization: `DPoP ${tokens.access_token}` });
  },
  'ensure-request-object-request-uri-cannot-be-reused': async (config, dpop) => {
    const { url } = await begin(config, dpop);
    await visit(url);
    const again = await visit(url);
    if (again.refused || again.searchParams.get('error')) throw Object.assign(new Error('no'), { error: 'invalid_request' });
  },
  'request-uri-of-another-client': async (config, dpop) => {
    const { url } = await begin(config, dpop);
    url.searchParams.set('client_id', given.other_client_id);
    const back = await visit(url);
    if (back.refused || back.searchParams.get('error')) throw Object.assign(new Error('no'), { error: 'invalid_request' });
  },
  'authorization-without-par': async () => {
    const query = form({ client_id: given.client_id, redirect_uri: given.redirect_uri, scope: 'openid', response_type: 'code', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' });
    const config = await configured();
    const back = await visit(`${config.serverMetadata().authorization_endpoint}?${query}`);
    if (back.refused || back.searchParams.get('error')) throw Object.assign(new Error('no'), { error: 'invalid_request' });
  },
  'client-assertion-replayed': async (config) => {
    const same = await assertion(config);
    await par(config, {}, same);
    await par(config, {}, same);
  },
  'client-assertion-for-another-issuer': async (config) => par(config, {}, await assertion(config, given.client_id, { aud: 'https://evil.test' })),
  'client-assertion-expired': async (config) => par(config, {}, await assertion(config, given.client_id, { exp: 1000 })),
  'client-assertion-by-another-key': async (config) => {
    const other = (await webcrypto.subtle.generateKey(curve, true, ['sign'])).privateKey;
    const now = Math.floor(Date.now() / 1000);
    const forged = await jws({ alg: 'ES256' }, { iss: given.client_id, sub: given.client_id, aud: issuer, iat: now, exp: now + 60, jti: randomUUID() }, other);
    await par(config, {}, forged);
  },
  'par-without-client-authentication': async (config) => par(config, { client_assertion: null, client_assertion_type: null }),
  'par-without-pkce': async (config) => par(config, { code_challenge: null, code_challenge_method: null }),
  'par-with-plain-pkce': async (config) => par(config, { code_challenge_method: 'plain' }),
  'par-with-request-uri': async (config) => par(config, { request_uri: 'urn:example:x' }),
  'par-with-another-response-type': async (config) => par(config, { response_type: 'code id_token' }),
  'redirect-with-a-slash': async (config) => par(config, { redirect_uri: `${given.redirect_uri}/` }),
  'redirect-with-a-query': async (config) => par(config, { redirect_uri: `${given.redirect_uri}?x=1` }),
  'redirect-with-a-fragment': async (config) => par(config, { redirect_uri: `${given.redirect_uri}#x` }),
  'redirect-to-another-host': async (config) => par(config, { redirect_uri: 'https://shop.example.test.evil.test/callback' }),
  'redirect-with-a-user': async (config) => par(config, { redirect_uri: given.redirect_uri.replace('https://', 'https://shop.example.test@evil.test/') }),
  'redirect-in-capitals': async (config) => par(config, { redirect_uri: given.redirect_uri.replace('callback', 'CALLBACK') }),
  'redirect-by-a-path-upwards': async (config) => par(config, { redirect_uri: given.redirect_uri.replace('callback', 'x/../callback') }),
  'redirect-over-http': async (config) => par(config, { redirect_uri: given.redirect_uri.replace('https', 'http') }),
  'redirect-absent': async (config) => par(config, { redirect_uri: null }),
  'mix-up-of-issuers': async (config, dpop) => {
    const { kept, url } = await begin(config, dpop);
    const back = await visit(url);
    back.searchParams.set('iss', 'https://evil.test');
    await rp.authorizationCodeGrant(config, back, kept, undefined, { DPoP: dpop });
  },
};

if (what === 'flows') {
  const found = {};
  for (const [name, run] of Object.entries(flows)) found[name] = await outcome(run);
  console.log(JSON.stringify(found));
} else if (what === 'attacks') {
  const found = {};
  for (const [name, run] of Object.entries(attacks)) {
    const config = await configured();
    const dpop = await proof(config);
    found[name] = await outcome(async () => { await run(config, dpop); });
  }
  console.log(JSON.stringify(found));
} else {
  const config = await configured(); const dpop = await proof(config);
  const scope = what === 'refreshes' ? 'openid offline_access' : 'openid profile';
  const first = await signIn(config, dpop, scope, what === 'refreshes' ? { prompt: 'consent' } : {});
  await rp.fetchUserInfo(config, first.tokens.access_token, first.tokens.claims().sub, { DPoP: dpop });
  const counted = Number(count);
  console.log('warm');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  asked = 0;
  for (let each = 0; each < counted; each += 1) {
    if (what === 'refreshes') await rp.refreshTokenGrant(config, first.tokens.refresh_token, undefined, { DPoP: dpop });
    else {
      const { tokens } = await signIn(config, dpop, scope);
      const facts = await rp.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP: dpop });
      if (!facts.name) throw new Error('the person has no name');
    }
  }
  console.log(`done ${asked}`);
  process.exit(0);
}

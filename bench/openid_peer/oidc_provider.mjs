// The peer: npm's certified oidc-provider with FAPI 2.0, its memory adapter, and people who agree to everything.
// node oidc_provider.mjs PEERS PORT CLIENT_JSON
import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
const [peers, port, file] = process.argv.slice(2);
const { default: Provider } = await import(`${peers}/openid/node_modules/oidc-provider/lib/index.js`);
const client = JSON.parse(readFileSync(file));
const issuer = `http://127.0.0.1:${port}`;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const { kid, ...jwk } = client.public_jwk;
const member = (id, more = {}) => ({
  client_id: id,
  redirect_uris: [client.redirect_uri],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
  dpop_bound_access_tokens: true,
  require_pushed_authorization_requests: true,
  jwks: { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] },
  ...more,
});
const provider = new Provider(issuer, {
  clients: [member(client.client_id), member(client.other_client_id)],
  jwks: { keys: [{ ...key, kid: 'k1', use: 'sig', alg: 'ES256' }] },
  cookies: { keys: ['only for this run'] },
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    fapi: { enabled: true, profile: '2.0' },
  },
  pkce: { required: () => true },
  ttl: { AuthorizationCode: 60, AccessToken: 600, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600, RefreshToken: 86400 },
  issueRefreshToken: async (ctx, c, code) => code.scopes.has('offline_access'),
  rotateRefreshToken: false,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: '林美玲', email: 'lin@example.test' }) }),
  interactions: { url: (ctx, interaction) => `/agree/${interaction.uid}` },
});
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/agree/')) return next();
  const found = await provider.interactionDetails(ctx.req, ctx.res);
  if (found.prompt.name === 'login') {
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'person-1' } });
  }
  const grant = found.grantId ? await provider.Grant.find(found.grantId)
    : new provider.Grant({ accountId: found.session.accountId, clientId: found.params.client_id });
  grant.addOIDCScope('openid profile email offline_access');
  return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));

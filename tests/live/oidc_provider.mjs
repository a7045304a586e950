// The strict provider: PKCE for everybody, refresh tokens that rotate and whose reuse kills the
// whole family, clients' certificates over TLS. `node oidc_provider.mjs SETUP.json`; the packages
// are where OIDC_PROVIDER_HOME says. Anybody may sign in, with any password.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = createRequire(`${process.env.OIDC_PROVIDER_HOME}/package.json`);
const load = (name) => import(pathToFileURL(packages.resolve(name)));
const { Provider, errors } = await load('oidc-provider');
const { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } = await load('jose');

const setup = JSON.parse(readFileSync(process.argv[2]));
const secure = `https://localhost:${setup.securePort}`;
const resource = 'urn:example:api';
const api = {
  scope: 'api', audience: resource, accessTokenTTL: setup.lifetime,
  accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
};
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const socket = (ctx) => ctx.req.socket;

const provider = new Provider(setup.issuer, {
  clients: setup.clients,
  jwks: { keys: [{ ...await exportJWK(privateKey), alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['a key of a throw-away provider'] },
  clientAuthMethods: [
    'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt',
    'tls_client_auth', 'none',
  ],
  discovery: {
    mtls_endpoint_aliases: {
      token_endpoint: `${secure}/token`,
      device_authorization_endpoint: `${secure}/device/auth`,
      revocation_endpoint: `${secure}/token/revocation`,
    },
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    mTLS: {
      enabled: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => socket(ctx).getPeerX509Certificate?.()?.toString(),
      certificateAuthorized: (ctx) => socket(ctx).authorized,
      certificateSubjectMatches: (ctx, _property, expected) =>
        expected === `CN=${socket(ctx).getPeerCertificate().subject.CN}`,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, asked) => ({ ...api, audience: asked }),
    },
  },
  scopes: ['openid', 'offline_access', 'api'],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: { IdToken: setup.lifetime, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600 },
});

// The one grant of RFC 7523 by the provider's own way to add grants: it has none itself.
const bearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
async function assertion(ctx) {
  const { client, params } = ctx.oidc;
  try {
    const expected = { audience: setup.issuer, issuer: client.clientId, requiredClaims: ['exp'] };
    await jwtVerify(params.assertion, createLocalJWKSet(client.jwks), expected);
  } catch (error) {
    throw new errors.InvalidGrant(error.message);
  }
  const token = new provider.ClientCredentials({ client, scope: 'api' });
  token.resourceServer = new provider.ResourceServer(resource, api);
  const value = await token.save();
  ctx.body = { access_token: value, expires_in: token.expiration, token_type: 'Bearer' };
}
provider.registerGrantType(bearer, assertion, ['assertion', 'scope']);

provider.on('server_error', (_ctx, error) => console.error(error));
provider.on('grant.success', (ctx) => console.log('granted', ctx.oidc.params.grant_type));
provider.on('grant.error', (ctx, error) => console.log(
  'refused', error.message, error.error_description, error.error_detail,
));
const tls = {
  cert: readFileSync(setup.cert), key: readFileSync(setup.key), ca: readFileSync(setup.ca),
  requestCert: true, rejectUnauthorized: false,
};
https.createServer(tls, provider.callback()).listen(setup.securePort, '127.0.0.1', () => {
  http.createServer(provider.callback()).listen(setup.port, '127.0.0.1');
});

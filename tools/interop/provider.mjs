// The OpenID Provider of npm's oidc-provider with one client, for make interop:
// its arguments are the issuer, the redirect URI and the post-logout URI. Its key
// is another at each start.
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [issuer, redirectURI, postLogoutURI] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'expense-dashboard',
    client_secret: 'a secret of the interop run',
    redirect_uris: [redirectURI],
    post_logout_redirect_uris: [postLogoutURI],
  }],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: 'Carol Lee', email: id, email_verified: true }),
  }),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['a cookie key of the interop run'] },
});
const { hostname, port } = new URL(issuer);
provider.listen(Number(port), hostname);

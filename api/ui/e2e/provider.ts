// An OpenID Connect provider of this machine, where whoever comes is logged in as `who`.
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Who {
  sub: string;
  email: string;
  email_verified: boolean;
  name: string;
}

export class Provider {
  who: Who = { sub: '1', email: 'linus@example.com', email_verified: true, name: 'Linus' };
  url = '';
  /** where the server is, once it is known: people are sent back through this provider's own address */
  server = '';
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly asked = new Map<string, URLSearchParams>();
  private readonly http: HttpServer;

  private constructor() {
    this.http = createServer((req, answer) => {
      const at = new URL(req.url ?? '/', this.url);
      const json = (x: unknown) => answer.setHeader('Content-Type', 'application/json').end(JSON.stringify(x));
      const go = (to: string) => answer.writeHead(302, { Location: to }).end();
      if (at.pathname === '/.well-known/openid-configuration') json(this.discovery());
      else if (at.pathname === '/keys') json({ keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }] });
      else if (at.pathname === '/authorize') go(this.authorize(at.searchParams));
      else if (at.pathname === '/token') void body(req).then((form) => json(this.token(form)));
      else go(`${this.server}${at.pathname}${at.search}`);
    });
  }

  static async start(): Promise<Provider> {
    const p = new Provider();
    await new Promise<void>((done) => p.http.listen(0, '127.0.0.1', done));
    p.url = `http://127.0.0.1:${(p.http.address() as AddressInfo).port}`;
    return p;
  }

  /** env configures a server for it */
  env(): Record<string, string> {
    return { STALKER_CFG_SSO__ISSUER: this.url, STALKER_CFG_SSO__URL: this.url, STALKER_CFG_SSO__CLIENTID: 'stalker', STALKER_CFG_SSO__CLIENTSECRET: 'secret' };
  }

  stop(): void {
    this.http.closeAllConnections();
    this.http.close();
  }

  private discovery() {
    const { url } = this;
    return { issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys`, id_token_signing_alg_values_supported: ['RS256'] };
  }

  private authorize(q: URLSearchParams): string {
    const code = `code-${q.get('state')}`;
    this.asked.set(code, q);
    return `${q.get('redirect_uri')}?${new URLSearchParams({ code, state: q.get('state') ?? '' })}`;
  }

  private token(form: URLSearchParams) {
    const asked = this.asked.get(form.get('code') ?? '');
    const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!asked || asked.get('code_challenge') !== proof) return { error: 'invalid_grant' };
    const now = Math.floor(Date.now() / 1000);
    const part = (x: unknown) => Buffer.from(JSON.stringify(x)).toString('base64url');
    const claims = { iss: this.url, aud: 'stalker', iat: now, exp: now + 300, nonce: asked.get('nonce'), ...this.who };
    const text = `${part({ alg: 'RS256', kid: '1' })}.${part(claims)}`;
    return { access_token: 'a', token_type: 'Bearer', id_token: `${text}.${createSign('RSA-SHA256').update(text).sign(this.keys.privateKey, 'base64url')}` };
  }
}

async function body(req: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const part of req) text += String(part);
  return new URLSearchParams(text);
}

// A program of this machine that is told things by webhook.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Told {
  id: string;
  genuine: boolean;
  body: { test?: boolean; events?: { change?: { correlationKey: string; what: string } }[] };
}

export class Receiver {
  readonly told: Told[] = [];
  /** what it answers */
  status = 204;
  url = '';
  private readonly http;

  private constructor(secret: string) {
    this.http = createServer((req, answer) => {
      let text = '';
      req.on('data', (b: Buffer) => (text += b.toString()));
      req.on('end', () => {
        const want = `v1=${createHmac('sha256', secret).update(`${String(req.headers['stalker-timestamp'])}.${text}`).digest('hex')}`;
        this.told.push({ id: String(req.headers['idempotency-key']), genuine: req.headers['stalker-signature'] === want, body: JSON.parse(text) as Told['body'] });
        answer.writeHead(this.status).end();
      });
    });
  }

  static async start(secret: string): Promise<Receiver> {
    const r = new Receiver(secret);
    await new Promise<void>((done) => r.http.listen(0, '127.0.0.1', done));
    r.url = `http://127.0.0.1:${(r.http.address() as AddressInfo).port}/hooks/1?token=closed`;
    return r;
  }

  stop(): void {
    this.http.closeAllConnections();
    this.http.close();
  }
}

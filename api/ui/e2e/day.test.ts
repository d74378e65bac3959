// A day of work with the client that follows from the API's document: every call
// below is typed by src/api/schema.d.ts, so a change of the document that breaks
// programs breaks this before it runs.
import createClient, { type Client, type Middleware } from 'openapi-fetch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { paths } from '../src/api/schema';
import { startServer, type Server } from './server';

type Api = Client<paths>;
type Answer<T> = { data?: T; error?: unknown; response: Response };

let server: Server;
let day: Awaited<ReturnType<typeof morning>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

/** client calls the API as nobody, with a key, or, once logged in, with the session it was given. */
function client(token?: string): Api {
  const api = createClient<paths>({ baseUrl: `${server.url}/api/v1` });
  let cookie = '';
  const session: Middleware = {
    onRequest({ request }) {
      if (token) request.headers.set('Authorization', `Bearer ${token}`);
      if (cookie) request.headers.set('Cookie', cookie);
    },
    onResponse({ response }) {
      cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    },
  };
  api.use(session);
  return api;
}

/** ok gives what a call that has to succeed answers. */
async function ok<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  if (error !== undefined || !response.ok) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data as NonNullable<T>;
}

/** refused gives the status of a call that has to fail. */
async function refused(call: Promise<Answer<unknown>>): Promise<number> {
  const { error, response } = await call;
  expect(error).toMatchObject({ status: response.status });
  return response.status;
}

const patience = 120_000;

/** until asks again and again until the answer is as wanted. */
async function until<T>(ask: () => Promise<T>, wanted: (x: T) => boolean): Promise<T> {
  let last = await ask();
  for (const end = Date.now() + patience; !wanted(last); last = await ask()) {
    if (Date.now() > end) throw new Error(`it never came: ${JSON.stringify(last)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return last;
}

const password = 'correct horse battery staple';
const job = `from stalker_sdk import PortFinding, TextField, log_finding, log_info, params

ip = params.ip("targetIp")
log_info(f"looking at {ip}")
for port, service in ((22, "ssh"), (8080, "http")):
    log_finding(PortFinding("PortServiceFinding", ip, port, "tcp", "Service", [TextField("serviceName", "Service", service)]))
`;

/** morning sets the server up, invites Ben, and gives him a project. */
async function morning() {
  const ana = client();
  const nobody = client();
  expect(await ok(nobody.GET('/setup'))).toEqual({ needed: true });
  const setup = { email: 'ana@example.com', name: 'Ana', password };
  expect(await refused(nobody.POST('/setup', { body: { ...setup, code: 'AAAABBBBCCCC' } }))).toBe(403);
  await ok(ana.POST('/setup', { body: { ...setup, code: server.code } }));
  expect((await ok(ana.GET('/me'))).scopes).toEqual(['*']);
  expect(await refused(nobody.POST('/setup', { body: { ...setup, code: server.code } }))).toBe(403);

  const invited = await ok(ana.POST('/users', { body: { email: 'ben@example.com', name: 'Ben' } }));
  await ok(nobody.POST('/password-links/use', { body: { token: invited.link.token, password } }));
  const ben = client();
  await ok(ben.POST('/login', { body: { email: 'ben@example.com', password } }));
  expect(await refused(ben.POST('/projects', { body: { name: 'Mine' } }))).toBe(403);

  const project = await ok(ana.POST('/projects', { body: { name: 'Acme', internal: ['127.0.46.0/28'] } }));
  const other = await ok(ana.POST('/projects', { body: { name: 'Other' } }));
  await ok(ana.PUT('/projects/{projectId}/members/{kind}/{id}', {
    params: { path: { projectId: project.id, kind: 'user', id: invited.id } },
    body: { role: 'editor' },
  }));
  expect((await ok(ben.GET('/projects'))).items.map((p) => p.name)).toEqual(['Acme']);
  expect(await refused(ben.GET('/projects/{projectId}', { params: { path: { projectId: other.id } } }))).toBe(404);
  return { ana, ben, project: project.id, inProject: { path: { projectId: project.id } } };
}

it('begins with the first user, an invitation and a project', { timeout: 2 * patience }, async () => {
  day = await morning();
});

it('takes seeds, a job and a subscription', { timeout: 2 * patience }, async () => {
  const { ana, ben, inProject } = day;
  // nothing but what this day is about runs by itself
  for (const s of (await ok(ana.GET('/subscriptions'))).items) {
    const params = { path: { id: s.id }, header: { 'If-Match': `"${s.version}"` } };
    if (s.enabled) await ok(ana.PATCH('/subscriptions/{id}', { params, body: { enabled: false } }));
  }
  const wrong = ben.POST('/projects/{projectId}/domains', { params: inProject, body: { domains: ['acme.example', 'no such..name'] } });
  expect(await refused(wrong)).toBe(400);
  const key = { 'Idempotency-Key': 'the seeds' };
  const seeds = { params: { ...inProject, header: key }, body: { domains: ['acme.example', 'www.acme.example'] } };
  expect(await ok(ben.POST('/projects/{projectId}/domains', seeds))).toEqual(await ok(ben.POST('/projects/{projectId}/domains', seeds)));
  await ok(ben.POST('/projects/{projectId}/hosts', { params: inProject, body: { ips: ['127.0.46.1'] } }));

  await ok(ana.POST('/jobs', { body: { name: 'Look', type: 'code', language: 'python', code: job, parameters: [{ name: 'targetIp', type: 'string' }] } }));
  const document = "name: Look at hosts\nfindings: [IpFinding]\ncooldown: 3600\njob:\n  name: Look\n  parameters: [{name: targetIp, value: '${ip}'}]\n";
  const unclear = await ok(ben.POST('/subscriptions/check', { body: { document: `${document}colour: red\n` } }));
  expect(unclear.problems).toMatchObject([{ line: 7, column: 1 }]);
  const made = await ok(ben.POST('/subscriptions', { body: { document, projectId: day.project, enabled: true } }));
  expect(made).toMatchObject({ name: 'Look at hosts', enabled: true });
});

it('launches, and watches the log', { timeout: 2 * patience }, async () => {
  const { ben, project } = day;
  const out = { projectId: project, job: 'Look', arguments: [{ name: 'targetIp', value: '192.168.7.7' }] };
  expect(await refused(ben.POST('/executions', { body: out }))).toBe(403); // a private address the project does not list
  const run = await ok(ben.POST('/executions', { body: { ...out, arguments: [{ name: 'targetIp', value: '127.0.46.1' }] } }));
  const path = { id: run.id };
  const log = await ok(ben.GET('/executions/{id}/logs/stream', { params: { path }, parseAs: 'text' })); // ends when the run does
  expect(log).toContain('looking at 127.0.46.1');
  expect(log).toMatch(/event: end\ndata: .*"state":"succeeded"/);
  expect(await ok(ben.GET('/executions/{id}', { params: { path } }))).toMatchObject({ state: 'succeeded', job: 'Look' });
});

it('watches the subscription fire for a new host', { timeout: 2 * patience }, async () => {
  const { ben, project, inProject } = day;
  const before = await ok(ben.GET('/projects/{projectId}/changes', { params: { ...inProject, query: { limit: 1000 } } }));
  await ok(ben.POST('/projects/{projectId}/hosts', { params: inProject, body: { ips: ['127.0.46.2'] } }));
  const fired = await until(
    async () => {
      const page = await ok(ben.GET('/executions', { params: { query: { project, q: 'job:Look state:succeeded' } } }));
      return page.items.find((e) => e.arguments?.some((a) => a.value === '127.0.46.2'));
    },
    (e) => e !== undefined,
  );
  const why = await ok(ben.GET('/executions/{id}/explanation', { params: { path: { id: fired!.id } } }));
  expect(why.chain.at(-1)?.execution.cause).toMatchObject({ subscriptionName: 'Look at hosts' });
  await until(
    async () => {
      const news = await ok(ben.GET('/projects/{projectId}/changes', { params: { ...inProject, query: { cursor: before.next, limit: 1000 } } }));
      return news.items.filter((c) => c.what === 'opened' && c.correlationKey.includes('127.0.46.2')).map((c) => c.kind);
    },
    (kinds) => ['host', 'port', 'website'].every((k) => (kinds as string[]).includes(k)),
  );
});

it('searches, tags and blocks', { timeout: 2 * patience }, async () => {
  const { ben, project, inProject } = day;
  const ports = (q: string) => ok(ben.GET('/ports', { params: { query: { project, q, sort: 'ip' } } }));
  const ssh = await until(() => ports('service:ssh ip:127.0.46.0/28'), (page) => page.total === 2);
  expect(ssh.items.map((p) => [p.ip, p.port])).toEqual([['127.0.46.1', 22], ['127.0.46.2', 22]]);
  expect(await refused(ben.GET('/ports', { params: { query: { project, q: 'prot:22' } } }))).toBe(400);
  const { items } = await ok(ben.GET('/search/complete', { params: { query: { kind: 'ports', q: 'serv' } } }));
  expect(JSON.stringify(items)).toContain('service');

  const marked = await ok(ben.POST('/projects/{projectId}/ports/marks', { params: inProject, body: { action: 'tag', select: { q: 'service:ssh' }, tag: 'Review' } }));
  expect(marked).toEqual({ marked: 2, visible: true });
  expect((await ports('tag:Review')).total).toBe(2);
  const hosts = await ok(ben.GET('/hosts', { params: { query: { project, q: 'ip:127.0.46.2' } } }));
  await ok(ben.POST('/projects/{projectId}/hosts/marks', { params: inProject, body: { action: 'block', ids: [hosts.items[0]!.id] } }));
  expect((await ok(ben.GET('/hosts', { params: { query: { project, q: 'is:blocked' } } }))).total).toBe(1);
});

it('exports with a key, until that is revoked', { timeout: 2 * patience }, async () => {
  const { ana, ben, project } = day;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const made = await ok(ben.POST('/api-keys', { body: { name: 'export', scopes: ['resources:*:read'], projects: [project], expiresAt } }));
  const program = client(made.token);
  const file = (format: 'targets' | 'csv') =>
    ok(program.GET('/ports/export', { params: { query: { project, q: 'tag:Review', format, sort: 'ip', fields: format === 'csv' ? 'ip,port,service' : undefined } }, parseAs: 'text' }));
  expect(await file('targets')).toBe('127.0.46.1:22\n127.0.46.2:22\n');
  expect(await file('csv')).toBe('ip,port,service\r\n127.0.46.1,22,ssh\r\n127.0.46.2,22,ssh\r\n');
  expect(await refused(program.GET('/executions'))).toBe(403);

  await ok(ben.DELETE('/api-keys/{id}', { params: { path: { id: made.id } } }));
  expect(await refused(program.GET('/ports'))).toBe(401);

  const { items } = await ok(ana.GET('/audit', { params: { query: { limit: 1000 } } }));
  const done = items.filter((e) => e.status < 300).map((e) => e.action);
  expect(done).toEqual(expect.arrayContaining(['setup', 'createUser', 'usePasswordLink', 'login', 'createProject', 'saveMember', 'addDomains', 'addHosts']));
  expect(done).toEqual(expect.arrayContaining(['createJob', 'createSubscription', 'launch', 'markPorts', 'markHosts', 'createApiKey', 'deleteApiKey']));
  expect(items.find((e) => e.action === 'setup' && e.status === 403)).toBeDefined();
});

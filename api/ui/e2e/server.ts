// A real server on a data directory of its own, as a person would start it.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const binary = resolve(import.meta.dirname, '../../../bin/stalker');

export interface Server {
  url: string;
  /** creates the first user */
  code: string;
  data: string;
  get: <T>(path: string) => Promise<T>;
  /** sends JSON, or a text as it is */
  post: <T>(path: string, body: unknown) => Promise<T>;
  put: <T>(path: string, body: unknown) => Promise<T>;
  stop: () => Promise<void>;
}

export async function startServer(more: Record<string, string> = {}): Promise<Server> {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: make build`);
  const data = mkdtempSync(join(tmpdir(), 'stalker-ui-'));
  // a repository of this machine is read, and a program of this machine is told, in place of those on the net
  const local = { STALKER_CFG_SOURCES__ALLOWPRIVATE: 'true', STALKER_CFG_NOTIFICATIONS__ALLOWPRIVATE: 'true', STALKER_CFG_NOTIFICATIONS__SETTLE: '2s', STALKER_CFG_NOTIFICATIONS__EVERY: '500ms' };
  const env = { ...process.env, ...local, ...more };
  const child = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [url, code] = await greeting(child);
  const { token } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { token: string };
  return {
    url,
    code,
    data,
    get: async <T>(path: string) => {
      const answer = await fetch(`${url}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    post: async <T>(path: string, body: unknown) => {
      const text = typeof body === 'string';
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': text ? 'application/octet-stream' : 'application/json' };
      const answer = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: text ? body : JSON.stringify(body) });
      if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    put: async <T>(path: string, body: unknown) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const answer = await fetch(`${url}/api/v1${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    stop: async () => {
      await stop(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** runDemo lets the server discover the lab; it fails when that was not found completely. */
export function runDemo(server: Server, project: string): Promise<void> {
  const child = spawn(binary, ['demo', '--data', server.data, '--project', project], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (b: Buffer) => (said += b.toString()));
  child.stderr.on('data', (b: Buffer) => (said += b.toString()));
  return new Promise((done, fail) => {
    child.on('exit', (status) => (status === 0 ? done() : fail(new Error(`demo ended with ${status}:\n${said.slice(-4000)}`))));
  });
}

/** greeting waits for the lines that say where the server is and how to log in. */
function greeting(child: ChildProcess): Promise<[url: string, code: string]> {
  return new Promise((done, fail) => {
    let said = '';
    let errors = '';
    child.stderr?.on('data', (b: Buffer) => (errors += b.toString()));
    child.on('exit', (status) => fail(new Error(`the server ended with ${status}:\n${said}${errors.slice(-4000)}`)));
    child.stdout?.on('data', (b: Buffer) => {
      said += b.toString();
      const url = /running at (http\S+)/.exec(said)?.[1];
      const code = /with the code (\S+)/.exec(said)?.[1];
      if (url && code) done([url, code]);
    });
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null) return done();
    const kill = setTimeout(() => child.kill('SIGKILL'), 30_000);
    child.removeAllListeners('exit');
    child.on('exit', () => {
      clearTimeout(kill);
      done();
    });
    child.kill('SIGTERM');
  });
}

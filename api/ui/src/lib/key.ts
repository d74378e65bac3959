// What a correlation key says, taken apart (pipeline/correlation.go), and the id
// and the page of the resource it names (pipeline/id.go). Deriving the id here lets
// every address, name and target be a link without asking the server first.
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';

export type Kind = 'project' | 'domain' | 'host' | 'ip_range' | 'port' | 'website';

export interface Ref {
  kind: Kind;
  projectId: string;
  /** what people call the resource */
  label: string;
}

const website = /^host:(.+?);port:(\d+);protocol:tcp;domain:([^;]*);path:(.*)$/;
const port = /^host:(.+?);port:(\d+);protocol:(tcp|udp)$/;
const range = /^host:(.+?);mask:(\d+)$/;

/** parseKey takes a key apart; a key it does not understand is its own label. */
export function parseKey(key: string): Ref {
  const [head = '', ...tail] = key.split(';');
  const projectId = head.replace(/^project:/, '');
  const rest = tail.join(';');
  const of = (kind: Kind, label: string): Ref => ({ kind, projectId, label });
  if (rest === '') return of('project', projectId);
  if (rest.startsWith('domain:')) return of('domain', rest.slice('domain:'.length));
  let m = website.exec(rest);
  if (m) return of('website', `${bracket(m[3] || m[1] || '')}:${m[2]}${m[4] === '/' ? '' : m[4]}`);
  m = port.exec(rest);
  if (m) return of('port', `${bracket(m[1] ?? '')}:${m[2]}/${m[3]}`);
  m = range.exec(rest);
  if (m) return of('ip_range', `${m[1]}/${m[2]}`);
  return rest.startsWith('host:') ? of('host', rest.slice('host:'.length)) : of('project', key);
}

function bracket(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export const domainKey = (projectId: string, name: string) => `project:${projectId};domain:${name}`;
export const hostKey = (projectId: string, ip: string) => `project:${projectId};host:${ip}`;
export const portKey = (projectId: string, ip: string, n: number, protocol: string) =>
  `${hostKey(projectId, ip)};port:${n};protocol:${protocol}`;

/** resourceId is the id that always names the same key. */
export function resourceId(key: string): string {
  const parts = ['resource', key].map(utf8ToBytes);
  const buffer = new Uint8Array(parts.reduce((n, p) => n + 8 + p.length, 0));
  let at = 0;
  for (const p of parts) {
    new DataView(buffer.buffer).setBigUint64(at, BigInt(p.length));
    buffer.set(p, at + 8);
    at += 8 + p.length;
  }
  return bytesToHex(sha256(buffer)).slice(0, 24);
}

const paths: Record<Kind, string> = {
  project: '/projects',
  domain: '/domains',
  host: '/hosts',
  ip_range: '/ip-ranges',
  port: '/ports',
  website: '/websites',
};

/** pathOf is the page of the resource a key names. */
export function pathOf(key: string): string {
  const ref = parseKey(key);
  return `${paths[ref.kind]}/${ref.kind === 'project' ? ref.projectId : resourceId(key)}`;
}

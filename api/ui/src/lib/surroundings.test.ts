import { describe, expect, it } from 'vitest';
import { domainKey, hostKey, portKey } from './key';
import { contains } from './network';
import { radial } from './radial';
import { below, shown, surroundings, type Ask, type Row } from './surroundings';

const p = 'f'.repeat(24);
const website = (ip: string, port: number, domain: string) => `project:${p};host:${ip};port:${port};protocol:tcp;domain:${domain};path:/`;
const range = `project:${p};host:192.0.2.0;mask:24`;

const rows: Record<string, Row[]> = {
  '/domains': [
    { correlationKey: domainKey(p, 'a.test'), hosts: ['192.0.2.1', '2001:db8::1'] },
    { correlationKey: domainKey(p, 'www.a.test'), hosts: ['192.0.2.1'] },
    { correlationKey: domainKey(p, 'deep.www.a.test'), hosts: [] },
  ],
  '/hosts': [
    { correlationKey: hostKey(p, '192.0.2.1'), domains: ['a.test', 'www.a.test'] },
    { correlationKey: hostKey(p, '2001:db8::1'), domains: ['a.test'], blocked: true },
  ],
  '/ports': [
    { correlationKey: portKey(p, '192.0.2.1', 443, 'tcp') },
    { correlationKey: portKey(p, '192.0.2.1', 53, 'udp'), closed: true },
  ],
  '/websites': [{ correlationKey: website('192.0.2.1', 443, 'www.a.test') }, { correlationKey: website('192.0.2.1', 443, '') }],
  '/ip-ranges': [{ correlationKey: range }],
};

/** the server's part, as far as the filters that are sent need it */
const ask: Ask = (path, q, most) => {
  const values = [...q.matchAll(/(?:"([^"]*)"|([^\s",()]+))(?=[,)])/g)].map((m) => m[1] ?? m[2] ?? '');
  const holds = ({ correlationKey: k }: Row) => values.some((v) => {
    if (v.startsWith('*.')) return k.endsWith(v.slice(1));
    if (path === '/domains') return k === domainKey(p, v);
    if (path === '/ip-ranges') return contains('192.0.2.0/24', v);
    if (q.startsWith('domain:')) return k.includes(`;domain:${v};`);
    const ip = /;host:(.+?)(;|$)/.exec(k)?.[1] ?? '';
    return ip === v || contains(v, ip);
  });
  const found = (rows[path] ?? []).filter(holds);
  return Promise.resolve({ items: found.slice(0, most), total: found.length });
};

const labels = (m: Map<string, { label: string; depth: number }>) => [...m.values()].map((x) => `${x.depth} ${x.label}`).sort();

describe('surroundings', () => {
  it('of a domain are its hosts and the names below it', async () => {
    const s = await surroundings(domainKey(p, 'a.test'), 1, ask);
    expect(labels(s.things)).toEqual(['0 a.test', '1 192.0.2.1', '1 2001:db8::1', '1 deep.www.a.test', '1 www.a.test']);
    expect(s.cut).toBe(false);
  });

  it('of depth 3 reach the websites, and link each pair once', async () => {
    const s = await surroundings(hostKey(p, '192.0.2.1'), 3, ask);
    expect(s.things.get(website('192.0.2.1', 443, 'www.a.test'))?.depth).toBe(2);
    expect(s.things.get(range)?.parent).toBe(hostKey(p, '192.0.2.1'));
    expect(s.things.get(portKey(p, '192.0.2.1', 53, 'udp'))?.closed).toBe(true);
    expect(s.things.get(hostKey(p, '2001:db8::1'))?.depth).toBe(2);
    expect(new Set(s.links.map((l) => l.join())).size).toBe(s.links.length);
  });

  it('of a range are the hosts inside it alone', async () => {
    const s = await surroundings(range, 1, ask);
    expect(labels(s.things)).toEqual(['0 192.0.2.0/24', '1 192.0.2.1']);
  });

  it('stop at the bound, and say so', async () => {
    const s = await surroundings(hostKey(p, '192.0.2.1'), 4, ask, 3);
    expect(s.things.size).toBe(3);
    expect(s.cut).toBe(true);
  });

  it('lose with a kind what hangs on it alone', async () => {
    const root = hostKey(p, '192.0.2.1');
    const all = await surroundings(root, 2, ask);
    const some = shown(all, root, (x) => x.kind !== 'port' && x.kind !== 'domain');
    expect(labels(some.things)).toEqual(['0 192.0.2.1', '1 192.0.2.0/24']);
  });
});

describe('places', () => {
  it('of 5,000 things are all different, and rings grow with what is on them', () => {
    const root = hostKey(p, '192.0.2.1');
    const things = new Map([[root, { key: root, kind: 'host' as const, label: 'r', depth: 0, blocked: false, closed: false }]]);
    for (let i = 0; i < 4999; i++) {
      const parent = i < 50 ? root : `k${i % 50}`;
      things.set(`k${i}`, { key: `k${i}`, kind: 'host', label: `k${i}`, depth: i < 50 ? 1 : 2, blocked: false, closed: false, ...{ parent } });
    }
    const places = radial({ things, links: [], cut: false });
    expect(new Set([...places.values()].map(({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`)).size).toBe(5000);
    expect(places.get(root)?.x).toBeCloseTo(0);
    expect(below({ things, links: [], cut: false }).get('k0')).toHaveLength(99);
  });
});

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true], ['10.0.0.0/8', '11.0.0.1', false], ['0.0.0.0/0', '203.0.113.9', true], ['192.0.2.7', '192.0.2.7', true],
    ['2001:db8::/32', '2001:db8:1::5', true], ['2001:db8::/32', '2001:db9::', false], ['::ffff:0:0/96', '::ffff:192.0.2.1', true],
    ['10.0.0.0/8', '::1', false], ['10.0.0/8', '10.0.0.1', false], ['1::2::3/8', '1::', false], ['10.0.0.0/33', '10.0.0.0', false],
  ])('%s holds %s: %s', (cidr, address, want) => expect(contains(cidr, address)).toBe(want));
});

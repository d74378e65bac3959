// What is around a resource: its neighbours, theirs, and so on. Whole levels are
// asked for at once, many names in one filter, so that thousands take few requests.
import { quoted } from './filter';
import { domainKey, hostKey, parseKey, portKey, type Kind } from './key';
import { contains } from './network';

export interface Thing {
  key: string;
  kind: Kind;
  label: string;
  /** how many steps from the middle */
  depth: number;
  /** the one it was first reached from */
  parent?: string;
  blocked: boolean;
  closed: boolean;
}

export interface Surroundings {
  things: Map<string, Thing>;
  /** pairs of keys, each pair once */
  links: [string, string][];
  /** there is more than may be read */
  cut: boolean;
}

/** what is needed of a row of any list */
export interface Row {
  correlationKey: string;
  blocked?: boolean;
  closed?: boolean;
  hosts?: string[];
  domains?: string[];
}

/** Ask reads all rows of a list that a filter selects, at most so many. */
export type Ask = (path: string, q: string, most: number) => Promise<{ items: Row[]; total: number }>;

const together = 40;

/** surroundings walks level by level until the depth or the bound is reached. */
export async function surroundings(root: string, depth: number, ask: Ask, most = 5000): Promise<Surroundings> {
  const walk = new Walk(root, ask, most);
  let level = [root];
  for (let d = 0; d < depth && level.length > 0 && !walk.full; d++) level = await walk.next(level, d + 1);
  return { things: walk.things, links: [...walk.links.values()], cut: walk.cut };
}

class Walk {
  readonly things = new Map<string, Thing>();
  readonly links = new Map<string, [string, string]>();
  cut = false;
  private found: string[] = [];
  private depth = 0;
  private readonly project: string;

  constructor(root: string, private readonly ask: Ask, private readonly most: number) {
    const ref = parseKey(root);
    this.project = ref.projectId;
    this.things.set(root, { key: root, kind: ref.kind, label: ref.label, depth: 0, blocked: false, closed: false });
  }

  get full(): boolean {
    return this.things.size >= this.most;
  }

  /** next finds the neighbours of a level, and returns those that are new. */
  async next(level: string[], depth: number): Promise<string[]> {
    this.found = [];
    this.depth = depth;
    const of = (kind: Kind) => level.filter((k) => this.things.get(k)?.kind === kind);
    for (const keys of chunks(of('domain'))) await this.aroundDomains(keys);
    for (const keys of chunks(of('ip_range'))) await this.aroundRanges(keys);
    for (const keys of chunks(of('host'))) await this.aroundHosts(keys);
    for (const keys of chunks(of('port'))) await this.aroundPorts(keys);
    for (const key of of('website')) this.aroundWebsite(key);
    return this.found;
  }

  private async aroundDomains(keys: string[]): Promise<void> {
    const names = keys.map((k) => parseKey(k).label);
    const list = names.map(quoted).join(',');
    const [own, below, sites] = await Promise.all([
      this.rows('/domains', `domain:any(${list})`),
      this.rows('/domains', `domain:any(${names.map((n) => `*.${n}`).join(',')})`),
      this.rows('/websites', `domain:any(${list})`),
    ]);
    for (const d of own) {
      this.told(d);
      d.hosts?.forEach((ip) => this.link(d.correlationKey, hostKey(this.project, ip)));
    }
    for (const d of below) {
      const name = parseKey(d.correlationKey).label;
      const parent = names.filter((n) => name.endsWith(`.${n}`)).sort((a, b) => b.length - a.length)[0];
      if (parent) this.link(domainKey(this.project, parent), d.correlationKey, d);
    }
    for (const s of sites) this.link(domainKey(this.project, site(s.correlationKey).domain), s.correlationKey, s);
  }

  private async aroundRanges(keys: string[]): Promise<void> {
    const nets = keys.map((k) => [k, parseKey(k).label] as const);
    const hosts = await this.rows('/hosts', `ip:any(${nets.map(([, n]) => quoted(n)).join(',')})`);
    for (const h of hosts) {
      for (const [key, net] of nets) if (contains(net, parseKey(h.correlationKey).label)) this.link(key, h.correlationKey, h);
    }
  }

  private async aroundHosts(keys: string[]): Promise<void> {
    const ips = keys.map((k) => parseKey(k).label);
    const list = ips.map(quoted).join(',');
    const [own, ports, ranges] = await Promise.all([
      this.rows('/hosts', `ip:any(${list})`), this.rows('/ports', `host:any(${list})`), this.rows('/ip-ranges', `ip:any(${list})`),
    ]);
    for (const r of ranges) {
      for (const ip of ips) if (contains(parseKey(r.correlationKey).label, ip)) this.link(hostKey(this.project, ip), r.correlationKey, r);
    }
    for (const h of own) {
      this.told(h);
      h.domains?.forEach((d) => this.link(h.correlationKey, domainKey(this.project, d)));
    }
    for (const p of ports) this.link(p.correlationKey.replace(/;port:\d+;protocol:\w+$/, ''), p.correlationKey, p);
  }

  private async aroundPorts(keys: string[]): Promise<void> {
    for (const k of keys) this.link(k, k.replace(/;port:\d+;protocol:\w+$/, ''));
    const known = new Set(keys);
    const hosts = [...new Set(keys.map((k) => site(k).ip))];
    const numbers = [...new Set(keys.map((k) => site(k).port))];
    const sites = await this.rows('/websites', `host:any(${hosts.map(quoted).join(',')}) port:any(${numbers.join(',')})`);
    for (const s of sites) {
      const { ip, port } = site(s.correlationKey);
      const key = portKey(this.project, ip, port, 'tcp');
      if (known.has(key)) this.link(key, s.correlationKey, s);
    }
  }

  private aroundWebsite(key: string): void {
    const { ip, port, domain } = site(key);
    this.link(key, portKey(this.project, ip, port, 'tcp'));
    if (domain) this.link(key, domainKey(this.project, domain));
  }

  private async rows(path: string, q: string): Promise<Row[]> {
    const room = this.most - this.things.size;
    if (room <= 0) return ((this.cut = true), []);
    const { items, total } = await this.ask(path, q, room);
    if (total > items.length) this.cut = true;
    return items;
  }

  private link(from: string, to: string, row?: Row): void {
    if (!this.things.has(to)) {
      if (this.full) {
        this.cut = true;
        return;
      }
      const ref = parseKey(to);
      this.things.set(to, { key: to, kind: ref.kind, label: ref.label, depth: this.depth, parent: from, blocked: false, closed: false });
      this.found.push(to);
    }
    if (row) this.told(row);
    const pair: [string, string] = from < to ? [from, to] : [to, from];
    this.links.set(pair.join('\n'), pair);
  }

  /** told keeps what a row says about its own resource. */
  private told(row: Row): void {
    const thing = this.things.get(row.correlationKey);
    if (thing) Object.assign(thing, { blocked: row.blocked === true, closed: row.closed === true });
  }
}

function chunks(keys: string[]): string[][] {
  return Array.from({ length: Math.ceil(keys.length / together) }, (_, i) => keys.slice(i * together, (i + 1) * together));
}

/** site takes apart the key of a website or a port. */
function site(key: string): { ip: string; port: number; domain: string } {
  const m = /;host:(.+?);port:(\d+);protocol:\w+(?:;domain:([^;]*);path:.*)?$/.exec(key);
  return { ip: m?.[1] ?? '', port: Number(m?.[2]), domain: m?.[3] ?? '' };
}

/** shown leaves the kinds and states that are wanted, and what of them is still connected with the middle. */
export function shown(all: Surroundings, root: string, wanted: (x: Thing) => boolean): Surroundings {
  const near = new Map<string, string[]>();
  const add = (a: string, b: string) => void near.set(a, [...(near.get(a) ?? []), b]);
  const kept = (k: string) => k === root || wanted(all.things.get(k)!);
  const links = all.links.filter(([a, b]) => kept(a) && kept(b));
  for (const [a, b] of links) (add(a, b), add(b, a));
  const things = new Map<string, Thing>();
  let level: [string, string | undefined][] = [[root, undefined]];
  for (let depth = 0; level.length > 0; depth++) {
    const next: typeof level = [];
    for (const [key, parent] of level) {
      if (things.has(key)) continue;
      things.set(key, { ...all.things.get(key)!, depth, parent });
      for (const n of near.get(key) ?? []) if (!things.has(n)) next.push([n, key]);
    }
    level = next;
  }
  return { things, links: links.filter(([a]) => things.has(a)), cut: all.cut };
}

/** below lists for each thing what was first reached from it, by kind and name. */
export function below(of: Surroundings): Map<string, Thing[]> {
  const out = new Map<string, Thing[]>();
  for (const x of of.things.values()) {
    if (x.parent === undefined) continue;
    const list = out.get(x.parent);
    if (list) list.push(x);
    else out.set(x.parent, [x]);
  }
  const names = new Intl.Collator('en', { numeric: true });
  for (const list of out.values()) list.sort((a, b) => a.kind.localeCompare(b.kind) || names.compare(a.label, b.label));
  return out;
}

// Sorts what a person pasted into domains, addresses and networks, leaving the
// strict reading to the server. A URL counts as its host.

export interface Targets {
  domains: string[];
  ips: string[];
  ranges: string[];
  /** what is none of these, with its line number */
  unknown: { line: number; text: string }[];
}

const ipv4 = /^(\d{1,3}\.){3}\d{1,3}$/;
const ipv6 = /^[0-9a-f:]*:[0-9a-f:.]*$/i;
const name = /^(?=.{1,253}\.?$)([\p{L}\p{N}_]([\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?\.)+[\p{L}\p{N}-]{2,63}\.?$/u;

/** readTargets takes one target per line; commas and blanks also separate, # begins a comment. */
export function readTargets(text: string): Targets {
  const out: Targets = { domains: [], ips: [], ranges: [], unknown: [] };
  text.split('\n').forEach((raw, i) => {
    for (const word of raw.replace(/(^|\s)#.*$/, '').split(/[\s,;]+/)) {
      if (word) sort(word, i + 1, out);
    }
  });
  out.domains = [...new Set(out.domains)];
  out.ips = [...new Set(out.ips)];
  out.ranges = [...new Set(out.ranges)];
  return out;
}

function sort(word: string, line: number, out: Targets): void {
  const host = hostOf(word);
  const [address = '', bits] = host.split('/');
  if (bits !== undefined && /^\d{1,3}$/.test(bits) && isAddress(address)) out.ranges.push(host);
  else if (isAddress(host)) out.ips.push(host);
  else if (name.test(host) && !/^[\d.]+$/.test(host)) out.domains.push(host.toLowerCase().replace(/\.$/, ''));
  else out.unknown.push({ line, text: word });
}

function hostOf(word: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?(\[[^\]]+\]|[^/:?#]+)/i.exec(word);
  return (url?.[1] ?? word).replace(/^\[(.*)\]$/, '$1');
}

const isAddress = (s: string) =>
  ipv4.test(s) ? s.split('.').every((n) => Number(n) < 256) : ipv6.test(s);

export const countTargets = (t: Targets) => t.domains.length + t.ips.length + t.ranges.length;

// Addresses as numbers, to know which network holds which host.

interface Net {
  six: boolean;
  first: bigint;
  bits: number;
}

/** contains says whether a network in CIDR form holds an address. */
export function contains(cidr: string, address: string): boolean {
  const net = netOf(cidr);
  const one = netOf(address);
  if (!net || !one || net.six !== one.six) return false;
  const rest = BigInt((net.six ? 128 : 32) - net.bits);
  return net.first >> rest === one.first >> rest;
}

function netOf(text: string): Net | undefined {
  const [address = '', bits] = text.split('/');
  const six = address.includes(':');
  const first = six ? number6(address) : number4(address);
  const most = six ? 128 : 32;
  const n = bits === undefined ? most : Number(bits);
  return first === undefined || !(n >= 0 && n <= most) ? undefined : { six, first, bits: n };
}

function number4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256)) return undefined;
  return parts.reduce((n, p) => n * 256n + BigInt(p), 0n);
}

function number6(text: string): bigint | undefined {
  const four = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (four) {
    const n = number4(four[2] ?? '');
    return n === undefined ? undefined : number6(`${four[1]}${(n >> 16n).toString(16)}:${(n & 0xffffn).toString(16)}`);
  }
  const [head = '', tail, more] = text.split('::');
  const words = (s: string | undefined) => (s ? s.split(':') : []);
  const [before, after] = [words(head), words(tail)];
  const gap = 8 - before.length - after.length;
  if (more !== undefined || (tail === undefined ? gap !== 0 : gap < 1)) return undefined;
  const all = [...before, ...Array<string>(gap).fill('0'), ...after];
  if (!all.every((w) => /^[0-9a-f]{1,4}$/i.test(w))) return undefined;
  return all.reduce((n, w) => (n << 16n) | BigInt(`0x${w}`), 0n);
}

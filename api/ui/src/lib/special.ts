// Addresses that automation leaves alone unless the project lists their network
// (pipeline/project.go). Only those a person is likely to add are named here, to
// explain why nothing happens; the server decides.

const networks: [network: string, first: number, bits: number][] = [
  ['10.0.0.0/8', 0x0a000000, 8],
  ['127.0.0.0/8', 0x7f000000, 8],
  ['169.254.0.0/16', 0xa9fe0000, 16],
  ['172.16.0.0/12', 0xac100000, 12],
  ['192.168.0.0/16', 0xc0a80000, 16],
  ['100.64.0.0/10', 0x64400000, 10],
];

const networks6: [network: string, form: RegExp][] = [
  ['::1/128', /^::1$/],
  ['fc00::/7', /^f[cd][0-9a-f]{2}:/i],
  ['fe80::/10', /^fe[89ab][0-9a-f]:/i],
];

/** specialNetworks are the private and loopback networks that hold some of the addresses. */
export function specialNetworks(addresses: string[]): string[] {
  const found = addresses.map((a) => specialOf(a.split('/')[0] ?? '')).filter((n) => n !== undefined);
  return [...new Set(found)];
}

function specialOf(address: string): string | undefined {
  if (address.includes(':')) return networks6.find(([, form]) => form.test(address))?.[0];
  const n = toNumber(address);
  return networks.find(([, first, bits]) => n >= first && n < first + 2 ** (32 - bits))?.[0];
}

function toNumber(v4: string): number {
  return v4.split('.').reduce((n, part) => n * 256 + Number(part), 0);
}

/** notAllowed leaves out the networks that lie inside one the project lists. */
export function notAllowed(special: string[], internal: string[] = []): string[] {
  return special.filter((n) => !internal.some((i) => inside(n, i)));
}

function inside(network: string, outer: string): boolean {
  if (network === outer) return true;
  const [a = '', aBits = ''] = network.split('/');
  const [b = '', bBits = ''] = outer.split('/');
  if (a.includes(':') || b.includes(':')) return false;
  const size = 2 ** (32 - Number(bBits));
  return Number(bBits) <= Number(aBits) && Math.floor(toNumber(a) / size) === Math.floor(toNumber(b) / size);
}

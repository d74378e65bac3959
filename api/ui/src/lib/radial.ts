// Places for a graph: what is near the middle is near the middle, and what was
// reached from a thing lies behind it. The same graph always looks the same.
import { below, type Surroundings } from './surroundings';

export interface Place {
  x: number;
  y: number;
}

const ring = 130;
const apart = 26;

/** radial gives every thing a place on the ring of its depth, within the angle of where it was reached from. */
export function radial(of: Surroundings): Map<string, Place> {
  const children = below(of);
  const root = [...of.things.values()].find((x) => x.parent === undefined);
  const places = new Map<string, Place>();
  if (!root) return places;
  const order = [...of.things.values()].sort((a, b) => b.depth - a.depth);
  const width = new Map<string, number>();
  for (const x of order) width.set(x.key, Math.max(1, (children.get(x.key) ?? []).reduce((n, c) => n + (width.get(c.key) ?? 1), 0)));
  const radii = rings(order.map((x) => x.depth));
  const angles = new Map<string, [from: number, to: number]>([[root.key, [0, 2 * Math.PI]]]);
  for (const x of order.reverse()) {
    const [from, to] = angles.get(x.key)!;
    const middle = (from + to) / 2;
    const r = (radii[x.depth] ?? 0) * (1 + stagger(places.size, radii[x.depth] ?? 0));
    places.set(x.key, { x: r * Math.cos(middle), y: r * Math.sin(middle) });
    let at = from;
    for (const c of children.get(x.key) ?? []) {
      const share = ((to - from) * (width.get(c.key) ?? 1)) / (width.get(x.key) ?? 1);
      angles.set(c.key, [at, at + share]);
      at += share;
    }
  }
  return places;
}

/** rings are as wide as what lies on them needs. */
function rings(depths: number[]): number[] {
  const counts: number[] = [];
  for (const d of depths) counts[d] = (counts[d] ?? 0) + 1;
  const out = [0];
  for (let d = 1; d < counts.length; d++) out[d] = Math.max((out[d - 1] ?? 0) + ring, ((counts[d] ?? 0) * apart) / (2 * Math.PI) / 2);
  return out;
}

/** stagger puts neighbours of a crowded ring side by side in three rows. */
const stagger = (i: number, radius: number) => (radius > 600 ? ((i % 3) - 1) * 0.06 : 0);

import type { Change } from '~/api/types';
import { onDay } from './time';

/** byDay groups changes, which are sorted, by the day they happened on. */
export function byDay(changes: Change[]): [day: string, changes: Change[]][] {
  const out: [string, Change[]][] = [];
  for (const c of changes) {
    const day = onDay(c.at);
    const last = out.at(-1);
    if (last?.[0] === day) last[1].push(c);
    else out.push([day, [c]]);
  }
  return out;
}

/** tally counts resources that came, went and changed. */
export function tally(changes: Change[]): { came: number; went: number; changed: number } {
  const of = (...what: Change['what'][]) => new Set(changes.filter((c) => !c.attribute && what.includes(c.what)).map((c) => c.resourceId));
  const came = of('opened', 'reappeared');
  const went = of('closed', 'deleted');
  const changed = new Set(changes.filter((c) => c.attribute && !came.has(c.resourceId) && !went.has(c.resourceId)).map((c) => c.resourceId));
  return { came: came.size, went: went.size, changed: changed.size };
}

/** what one look at a resource changed */
export interface Event {
  first: Change;
  rest: Change[];
}

/** together puts changes of one resource by one cause into one event. */
export function together(changes: Change[]): Event[] {
  const out: Event[] = [];
  for (const c of changes) {
    const last = out.at(-1);
    const f = last?.first;
    if (last && f?.resourceId === c.resourceId && f.cause === c.cause && f.what === c.what) last.rest.push(c);
    else out.push({ first: c, rest: [] });
  }
  return out;
}

import { Checkbox, Chip, Group, SegmentedControl, Text } from '@mantine/core';
import { Suspense, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useSurroundings } from '~/api/topology';
import { later } from '~/app/later';
import { Empty, Loading, Problem } from '~/components/States';
import type { Kind } from '~/lib/key';
import { count } from '~/lib/number';
import { shown, type Thing } from '~/lib/surroundings';
import { t } from '~/text';
import { Preview } from './Preview';
import classes from './Topology.module.css';
import { Tree } from './Tree';

const Graph = later(() => import('./Graph'));

export const kinds: Kind[] = ['domain', 'host', 'ip_range', 'port', 'website'];

/** Topology is what is around a resource, as a graph or as a tree, which hold the same. All of its state is in the address. */
export default function Topology({ root }: { root: string }) {
  const [search, setSearch] = useSearchParams();
  const depth = Math.min(4, Math.max(1, Number(search.get('depth')) || 2));
  const narrow = window.innerWidth < 768;
  const view = search.get('view') ?? (narrow ? 'tree' : 'graph');
  const hidden = (search.get('without') ?? '').split(',').filter(Boolean);
  const gone = search.get('gone') === 'yes';
  const all = useSurroundings(root, depth);
  const [picked, setPicked] = useState(root);
  const set = (name: string, value: string) => setSearch((s) => {
    if (value) s.set(name, value);
    else s.delete(name);
    return s;
  }, { replace: true });
  const without = hidden.join();
  const some = useMemo(() => all.data && shown(all.data, root, wanted(without.split(','), gone)), [all.data, root, without, gone]);
  const counts = useMemo(() => tally(all.data?.things.values() ?? []), [all.data]);
  const chosen = some?.things.get(picked) ?? some?.things.get(root);
  return (
    <div className={classes.page}>
      <div className={classes.bar}>
        <SegmentedControl size="xs" aria-label={t.list.view} value={view} onChange={(v) => set('view', v)} data={[{ value: 'graph', label: t.topology.graph }, { value: 'tree', label: t.topology.tree }]} />
        <Group gap={6} wrap="nowrap" role="group" aria-label={t.topology.depth}>
          <Text size="sm" className="faint">{t.topology.depth}</Text>
          <SegmentedControl size="xs" aria-label={t.topology.depth} value={String(depth)} onChange={(v) => set('depth', v)} data={['1', '2', '3', '4']} />
        </Group>
        <Group gap={6} role="group" aria-label={t.topology.kinds}>
          {kinds.filter((k) => counts[k]).map((k) => (
            <Chip key={k} size="xs" checked={!hidden.includes(k)} onChange={(on) => set('without', (on ? hidden.filter((h) => h !== k) : [...hidden, k]).join(','))}>
              {t.topology.names[k]} {count(counts[k] ?? 0)}
            </Chip>
          ))}
        </Group>
        <Checkbox size="xs" label={t.topology.gone} checked={gone} onChange={(e) => set('gone', e.currentTarget.checked ? 'yes' : '')} />
        {some && <span className="faint num" role="note">{t.topology.holds(count(some.things.size), count(some.links.length))}</span>}
      </div>
      {all.data?.cut && <Text size="sm" c="var(--warn)" px="sm" pb="xs">{t.topology.cut}</Text>}
      {all.isPending ? <Loading /> : all.error ? <Problem error={all.error} retry={() => void all.refetch()} /> : !some || !chosen ? null : (
        <div className={classes.body}>
          {some.things.size === 1 ? <Empty title={t.topology.alone}>{t.topology.aloneText}</Empty> : view === 'tree' ? (
            <Tree of={some} root={root} picked={chosen.key} pick={setPicked} />
          ) : (
            <Suspense fallback={<Loading />}><Graph of={some} root={root} picked={chosen.key} pick={setPicked} /></Suspense>
          )}
          <Preview of={chosen} root={root} />
        </div>
      )}
    </div>
  );
}

const wanted = (without: string[], gone: boolean) => (x: Thing) => !without.includes(x.kind) && (gone || (!x.closed && !x.blocked));

function tally(things: Iterable<Thing>): Partial<Record<Kind, number>> {
  const out: Partial<Record<Kind, number>> = {};
  for (const x of things) out[x.kind] = (out[x.kind] ?? 0) + 1;
  return out;
}

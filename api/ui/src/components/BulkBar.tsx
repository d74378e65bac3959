import { ActionIcon, Button } from '@mantine/core';
import { IconPlayerPlay, IconX } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { useMay } from '~/api/may';
import type { Aim } from '~/api/marks';
import type { Seen } from '~/api/types';
import { useProject } from '~/app/project';
import { later } from '~/app/later';
import { count } from '~/lib/number';
import { t, type Noun } from '~/text';
import classes from './BulkBar.module.css';
import type { Verb } from './MarkDialog';
import type { Selection } from './useSelection';

const LaunchMany = later(() => import('./LaunchManyDialog'));
const MarkDialog = later(() => import('./MarkDialog'));

interface Props {
  path: string;
  noun: Noun;
  selection: Selection;
  rows: Seen[];
  total: number;
  q: string;
}

/** BulkBar is what can be done with the rows that are chosen, or with all that match. */
export function BulkBar({ path, noun, selection, rows, total, q }: Props) {
  const [project] = useProject();
  const may = useMay();
  const [all, setAll] = useState(false);
  const [verb, setVerb] = useState<Verb>();
  const [running, setRunning] = useState(false);
  const chosen = rows.filter((r) => selection.has(r.id));
  if (chosen.length === 0) return null;
  const whole = chosen.length === rows.length && total > rows.length;
  const every = all && whole;
  const aim: Aim = every ? { select: q, project } : { rows: chosen };
  const kind = path.slice(1);
  const verbs: Verb[] = ['tag', 'untag', 'block', 'unblock', ...(kind === 'websites' ? (['merge', 'unmerge'] as const) : []), 'delete'];
  const allowed = verbs.filter((v) => may(`resources:${kind}:${v === 'delete' ? 'delete' : 'update'}`, project || undefined) && !(v === 'merge' && (every || chosen.length < 2)));
  const n = every ? total : chosen.length;
  return (
    <div className={classes.bar} role="toolbar" aria-label={t.list.chosen(count(n))}>
      <b className="num">{every ? t.list.allChosen(count(total)) : t.list.chosen(count(n))}</b>
      {whole && !every && (project ? (
        <Button variant="subtle" size="compact-sm" onClick={() => setAll(true)}>{t.list.chooseAll(count(total))}</Button>
      ) : <span className="faint">{t.list.allNeedProject}</span>)}
      {allowed.map((v) => (
        <Button key={v} size="compact-sm" variant="default" c={v === 'delete' ? 'var(--bad)' : undefined} onClick={() => setVerb(v)}>{t.marks[v]}</Button>
      ))}
      {may('automation:job-executions:create', project || undefined) && (
        <Button size="compact-sm" variant="default" leftSection={<IconPlayerPlay size={13} />} onClick={() => setRunning(true)}>{t.launch.title}</Button>
      )}
      <ActionIcon size="sm" aria-label={t.list.clearChoice} onClick={() => selection.set([])}><IconX size={15} /></ActionIcon>
      {running && <Suspense><LaunchMany path={path} noun={noun} aim={aim} total={n} onClose={() => setRunning(false)} /></Suspense>}
      {verb && (
        <Suspense>
          <MarkDialog
            path={path} noun={noun} verb={verb} aim={aim} rows={every ? [] : chosen} total={n}
            onClose={() => setVerb(undefined)}
            onDone={() => {
              setAll(false);
              selection.set([]);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}

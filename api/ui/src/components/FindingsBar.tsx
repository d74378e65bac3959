import { ActionIcon, Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { useMay } from '~/api/may';
import type { Finding } from '~/api/types';
import { later } from '~/app/later';
import { about } from '~/lib/about';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './BulkBar.module.css';
import type { FindingsVerb } from './MarkFindings';
import type { Selection } from './useSelection';

const Dialog = later(() => import('./MarkFindings'));
const verbs: FindingsVerb[] = ['tag', 'untag', 'block', 'unblock'];

/** FindingsBar is what can be done with the resources that the chosen findings are about. */
export function FindingsBar({ selection, rows }: { selection: Selection; rows: Finding[] }) {
  const may = useMay();
  const [verb, setVerb] = useState<FindingsVerb>();
  const chosen = rows.filter((r) => selection.has(r.id));
  if (chosen.length === 0) return null;
  const groups = about(chosen.map((f) => f.correlationKey));
  const allowed = groups.length > 0 && groups.every((g) => g.rows.every((r) => may(`resources:${g.path.slice(1)}:update`, r.projectId)));
  return (
    <div className={classes.bar} role="toolbar" aria-label={t.list.chosen(count(chosen.length))}>
      <b className="num">{t.list.chosen(count(chosen.length))}</b>
      <span className="faint">{t.finding.resources(count(groups.reduce((n, g) => n + g.rows.length, 0)))}</span>
      {allowed && verbs.map((v) => <Button key={v} size="compact-sm" variant="default" onClick={() => setVerb(v)}>{t.marks[v]}</Button>)}
      <ActionIcon size="sm" aria-label={t.list.clearChoice} onClick={() => selection.set([])}><IconX size={15} /></ActionIcon>
      {verb && <Suspense><Dialog verb={verb} groups={groups} onClose={() => setVerb(undefined)} onDone={() => selection.set([])} /></Suspense>}
    </div>
  );
}

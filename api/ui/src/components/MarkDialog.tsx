import { Autocomplete, Button, Checkbox, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { byProject, mark, undoing, useMark, type Aim, type Decision } from '~/api/marks';
import { useProjects } from '~/api/queries';
import { useFacets } from '~/api/search';
import type { Seen } from '~/api/types';
import { useProject } from '~/app/project';
import { parseKey } from '~/lib/key';
import { count } from '~/lib/number';
import { t, type Noun } from '~/text';
import classes from './BulkBar.module.css';
import { FormError } from './States';
import { useSayDone } from './useSayDone';

export type Verb = 'tag' | 'untag' | 'block' | 'unblock' | 'merge' | 'unmerge' | 'delete';

interface Props {
  path: string;
  noun: Noun;
  verb: Verb;
  aim: Aim;
  /** what is aimed at by name; empty when a filter is */
  rows: Seen[];
  total: number;
  onClose: () => void;
  onDone?: () => void;
}

const explained: Partial<Record<Verb, string>> = { block: t.marks.blockText, delete: t.marks.deleteText, merge: t.marks.mergeText };

/** MarkDialog shows what a decision is about before it is made, and offers to take it back afterwards. */
export default function MarkDialog({ path, noun, verb, aim, rows, total, onClose, onDone }: Props) {
  const [tag, setTag] = useState('');
  const [cascade, setCascade] = useState(false);
  const [into, setInto] = useState(rows[0]?.id ?? '');
  const send = useMark(path);
  const sayDone = useSayDone();
  const labelled = verb === 'tag' || verb === 'untag';
  const split = verb === 'merge' && byProject(rows).size > 1;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const decision: Decision = { action: verb };
    if (labelled) decision.tag = tag.trim();
    if (cascade) decision.cascade = true;
    if (verb === 'merge') decision.into = into;
    const moved: Aim = verb === 'merge' ? { rows: rows.filter((r) => r.id !== into) } : aim;
    // undone is only what the decision changed
    const changed = rows.filter((r) => (verb === 'tag' ? !r.tags.includes(decision.tag ?? '') : verb === 'untag' ? r.tags.includes(decision.tag ?? '') : r.id !== decision.into));
    const back = changed.length > 0 ? undoing(decision) : undefined;
    send.mutate({ decision, aim: moved }, {
      onSuccess: ({ marked, visible }) => {
        sayDone(t.marks.done[verb](count(marked)), visible, back && (() => mark(path, back, { rows: changed })));
        onDone?.();
        onClose();
      },
    });
  };
  const name = total === 1 ? noun.one : noun.many;
  return (
    <Modal opened onClose={onClose} title={t.marks.about(t.marks[verb], count(total), name)} size="lg">
      <form onSubmit={submit}>
        <Stack gap="md">
          {explained[verb] && <Text size="sm">{explained[verb]}</Text>}
          {labelled && <TagName path={path} value={tag} onChange={setTag} rows={verb === 'untag' ? rows : undefined} />}
          {(verb === 'block' || verb === 'unblock') && path !== '/websites' && <Checkbox label={t.marks.cascade} checked={cascade} onChange={(e) => setCascade(e.currentTarget.checked)} />}
          {verb === 'merge' ? (
            <Radio.Group label={t.marks.into} value={into} onChange={setInto}>
              <Stack gap={4} mt={6} className={classes.list}>{rows.slice(0, 50).map((r) => <Radio key={r.id} size="xs" value={r.id} label={parseKey(r.correlationKey).label} />)}</Stack>
            </Radio.Group>
          ) : <Names rows={rows} />}
          {split && <Text size="sm" c="var(--bad)" role="alert">{t.marks.oneProject}</Text>}
          <FormError error={send.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>{t.actions.cancel}</Button>
            <Button type="submit" color={verb === 'delete' ? 'red' : undefined} loading={send.isPending} disabled={split || (labelled && tag.trim() === '')}>{t.marks[verb]}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function TagName({ path, value, onChange, rows }: { path: string; value: string; onChange: (s: string) => void; rows?: Seen[] }) {
  const [project] = useProject();
  const known = useFacets(path, ['tag'], '', project, true).data?.items[0]?.values.map((v) => v.value) ?? [];
  const own = rows && [...new Set(rows.flatMap((r) => r.tags))];
  return <Autocomplete label={t.marks.tagName} description={t.marks.tagHint} data={own?.length ? own : known} value={value} onChange={onChange} maxLength={64} data-autofocus required />;
}

/** Names lists what is meant, by project. */
function Names({ rows }: { rows: Seen[] }) {
  const projects = useProjects().data ?? [];
  return (
    <div>
      {[...byProject(rows)].map(([id, ids]) => (
        <div key={id}>
          <div className={classes.group}>{projects.find((p) => p.id === id)?.name ?? t.projects.unknown}</div>
          <ul className={classes.list}>
            {rows.filter((r) => r.projectId === id).slice(0, 50).map((r) => <li key={r.id} className="mono">{parseKey(r.correlationKey).label}</li>)}
            {ids.length > 50 && <li className="faint">{t.marks.andMore(count(ids.length - 50))}</li>}
          </ul>
        </div>
      ))}
    </div>
  );
}

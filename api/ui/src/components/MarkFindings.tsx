import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { mark, type Decision } from '~/api/marks';
import type { About } from '~/lib/about';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './BulkBar.module.css';
import { FormError } from './States';
import { useSayDone } from './useSayDone';

export type FindingsVerb = 'tag' | 'untag' | 'block' | 'unblock';

interface Props {
  verb: FindingsVerb;
  groups: About[];
  onClose: () => void;
  onDone: () => void;
}

/** decide makes one decision about resources of several lists. */
async function decide(groups: About[], decision: Decision) {
  const sum = { marked: 0, visible: true };
  for (const g of groups) {
    const one = await mark(g.path, decision, { rows: g.rows });
    sum.marked += one.marked;
    sum.visible &&= one.visible;
  }
  return sum;
}

/** MarkFindings decides about the resources that findings are about, which it names first. */
export default function MarkFindings({ verb, groups, onClose, onDone }: Props) {
  const [tag, setTag] = useState('');
  const client = useQueryClient();
  const sayDone = useSayDone();
  const send = useMutation({ mutationFn: (d: Decision) => decide(groups, d), onSettled: () => client.invalidateQueries() });
  const labelled = verb === 'tag' || verb === 'untag';
  const total = groups.reduce((n, g) => n + g.rows.length, 0);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const decision: Decision = { action: verb, ...(labelled ? { tag: tag.trim() } : {}) };
    send.mutate(decision, {
      onSuccess: ({ marked, visible }) => {
        sayDone(t.marks.done[verb](count(marked)), visible);
        onDone();
        onClose();
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title={t.marks.about(t.marks[verb], count(total), total === 1 ? t.finding.resource : t.finding.resourcesWord)} size="lg">
      <form onSubmit={submit}>
        <Stack gap="md">
          {verb === 'block' && <Text size="sm">{t.marks.blockText}</Text>}
          {labelled && <TextInput label={t.marks.tagName} description={t.marks.tagHint} value={tag} onChange={(e) => setTag(e.currentTarget.value)} maxLength={64} data-autofocus required />}
          <ul className={classes.list}>
            {groups.flatMap((g) => g.rows).slice(0, 50).map((r) => <li key={r.id} className="mono">{r.label}</li>)}
            {total > 50 && <li className="faint">{t.marks.andMore(count(total - 50))}</li>}
          </ul>
          <FormError error={send.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>{t.actions.cancel}</Button>
            <Button type="submit" loading={send.isPending} disabled={labelled && tag.trim() === ''}>{t.marks[verb]}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

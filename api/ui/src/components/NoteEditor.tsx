import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useMark } from '~/api/marks';
import type { Seen } from '~/api/types';
import { t } from '~/text';
import { Panel } from './Panel';
import { FormError } from './States';

type Noted = Seen & { note?: string; owner?: string };

/** NoteEditor keeps what people want to remember about a resource, and whose it is. */
export function NoteEditor({ path, of: r, readOnly }: { path: string; of: Noted; readOnly: boolean }) {
  const [note, setNote] = useState(r.note ?? '');
  const [owner, setOwner] = useState(r.owner ?? '');
  const send = useMark(path);
  const changed = note !== (r.note ?? '') || owner !== (r.owner ?? '');
  const save = async () => {
    const aim = { rows: [r] };
    if (note !== (r.note ?? '')) await send.mutateAsync({ decision: { action: 'note', text: note }, aim });
    if (owner !== (r.owner ?? '')) await send.mutateAsync({ decision: { action: 'owner', text: owner }, aim });
  };
  return (
    <Panel title={t.marks.note}>
      <Stack gap="xs">
        <Textarea aria-label={t.marks.note} placeholder={t.resource.noteHint} autosize minRows={2} maxRows={10} readOnly={readOnly} value={note} onChange={(e) => setNote(e.currentTarget.value)} maxLength={16_384} />
        <TextInput label={t.marks.owner} placeholder={t.resource.ownerHint} readOnly={readOnly} value={owner} onChange={(e) => setOwner(e.currentTarget.value)} maxLength={200} />
        <FormError error={send.error} />
        {changed && <Group justify="flex-end"><Button loading={send.isPending} onClick={() => void save().catch(() => undefined)}>{t.actions.save}</Button></Group>}
      </Stack>
    </Panel>
  );
}

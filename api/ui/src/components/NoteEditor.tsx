import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useMark } from '~/api/marks';
import type { Seen } from '~/api/types';
import { t } from '~/text';
import { Panel } from './Panel';
import { FormError } from './States';

type Noted = Seen & { note?: string; owner?: string };

/** useEdited is a text as a person is changing it: what arrives meanwhile does not take that away. */
function useEdited(kept: string) {
  const [edited, set] = useState<string>();
  const changed = edited !== undefined && edited !== kept;
  useEffect(() => {
    if (edited === kept) set(undefined);
  }, [edited, kept]);
  /** what was sent is shown as it is kept now, unless it was edited further */
  const sent = (text: string) => set((is) => (is === text ? undefined : is));
  return { value: edited ?? kept, changed, set, sent };
}

/** NoteEditor keeps what people want to remember about a resource, and whose it is. */
export function NoteEditor({ path, of: r, readOnly }: { path: string; of: Noted; readOnly: boolean }) {
  const note = useEdited(r.note ?? '');
  const owner = useEdited(r.owner ?? '');
  const [saving, setSaving] = useState(false);
  const send = useMark(path);
  const client = useQueryClient();
  const save = async () => {
    const aim = { rows: [r] };
    setSaving(true);
    try {
      if (note.changed) await send.mutateAsync({ decision: { action: 'note', text: note.value }, aim });
      if (owner.changed) await send.mutateAsync({ decision: { action: 'owner', text: owner.value }, aim });
      await client.invalidateQueries();
      note.sent(note.value);
      owner.sent(owner.value);
    } catch {
      // the form shows it
    } finally {
      setSaving(false);
    }
  };
  return (
    <Panel title={t.marks.note}>
      <Stack gap="xs">
        <Textarea aria-label={t.marks.note} placeholder={t.resource.noteHint} autosize minRows={2} maxRows={10} readOnly={readOnly} value={note.value} onChange={(e) => note.set(e.currentTarget.value)} maxLength={16_384} />
        <TextInput label={t.marks.owner} placeholder={t.resource.ownerHint} readOnly={readOnly} value={owner.value} onChange={(e) => owner.set(e.currentTarget.value)} maxLength={200} />
        <FormError error={send.error} />
        {(saving || note.changed || owner.changed) && <Group justify="flex-end"><Button loading={saving} onClick={() => void save()}>{t.actions.save}</Button></Group>}
      </Stack>
    </Panel>
  );
}

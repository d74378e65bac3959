import { ActionIcon, Button, Group, Modal, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useChange } from '~/api/automation';
import { del, patch, post } from '~/api/client';
import { useMay } from '~/api/may';
import { useAll, useProjects } from '~/api/queries';
import type { Schemas } from '~/api/types';
import { useProject } from '~/app/project';
import { CopyButton } from '~/components/CopyButton';
import detail from '~/components/Detail.module.css';
import { ProjectName } from '~/components/Links';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { SmallTable } from '~/components/SmallTable';
import { FormError } from '~/components/States';
import { When } from '~/components/When';
import { count } from '~/lib/number';
import { t } from '~/text';

type Secret = Schemas['Secret'];

/** Secrets can be written and never read: the page knows their names alone. */
export default function Secrets() {
  const [project] = useProject();
  const secrets = useAll<Secret>('/secrets', { project });
  const may = useMay();
  const [open, setOpen] = useState<Secret | 'new'>();
  const [gone, setGone] = useState<Secret>();
  return (
    <>
      <PageHead title={t.nouns.secret.title} note={secrets.data && count(secrets.data.total)}>
        {may('manage:secrets:create') && <Button leftSection={<IconPlus size={14} />} onClick={() => setOpen('new')}>{t.secrets.create}</Button>}
      </PageHead>
      <div className={detail.page}>
        <Panel title={t.nouns.secret.title} flush>
          <SmallTable
            label={t.nouns.secret.title} rows={secrets.data?.items} error={secrets.error} empty={t.secrets.none}
            columns={[
              { id: 'name', label: t.access.name, width: 180, cell: (s) => <Group gap={2} wrap="nowrap"><span className="mono">{`\${secrets.${s.name}}`}</span><CopyButton value={`\${secrets.${s.name}}`} /></Group> },
              { id: 'about', label: t.access.description, width: 240, cell: (s) => <span className="faint">{s.summary}</span> },
              { id: 'project', label: t.resource.project, width: 140, cell: (s) => (s.projectId ? <ProjectName id={s.projectId} /> : <span className="faint">{t.subscription.every}</span>) },
              { id: 'updated', label: t.subscription.changed, width: 110, cell: (s) => <When at={s.updatedAt} /> },
              {
                id: 'do', label: '', width: 140, cell: (s) => (
                  <Group gap={4} wrap="nowrap" justify="flex-end">
                    {may('manage:secrets:update', s.projectId) && <Button size="compact-xs" variant="default" onClick={() => setOpen(s)}>{t.secrets.replace}</Button>}
                    {may('manage:secrets:delete', s.projectId) && <ActionIcon size="sm" aria-label={t.secrets.remove(s.name)} onClick={() => setGone(s)}><IconTrash size={14} /></ActionIcon>}
                  </Group>
                ),
              },
            ]}
          />
        </Panel>
      </div>
      {open && <Write secret={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} />}
      {gone && <Remove secret={gone} onClose={() => setGone(undefined)} />}
    </>
  );
}

function Write({ secret: s, onClose }: { secret?: Secret; onClose: () => void }) {
  const [filter] = useProject();
  const projects = useProjects().data ?? [];
  const [form, setForm] = useState({ name: s?.name ?? '', value: '', summary: s?.summary ?? '', projectId: s?.projectId ?? filter });
  const save = useChange((f: typeof form) => (s
    ? patch<Secret>(`/secrets/${s.id}`, { summary: f.summary, ...(f.value ? { value: f.value } : {}) })
    : post<Secret>('/secrets', { name: f.name.trim(), value: f.value, summary: f.summary, ...(f.projectId ? { projectId: f.projectId } : {}) })));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate(form, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={s ? s.name : t.secrets.create} size="lg">
      <form onSubmit={submit}>
        <Stack gap="sm">
          {!s && <TextInput label={t.access.name} description={t.secrets.nameHint} required data-autofocus classNames={{ input: 'mono' }} value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} autoComplete="off" />}
          <PasswordInput label={t.secrets.value} description={t.secrets.valueHint} required={!s} autoComplete="new-password" value={form.value} onChange={(e) => setForm({ ...form, value: e.currentTarget.value })} />
          <TextInput label={t.access.description} value={form.summary} onChange={(e) => setForm({ ...form, summary: e.currentTarget.value })} />
          {!s && <Select label={t.subscription.scope} allowDeselect={false} data={[{ value: '', label: t.subscription.every }, ...projects.map((p) => ({ value: p.id, label: p.name }))]} value={form.projectId} onChange={(v) => setForm({ ...form, projectId: v ?? '' })} />}
          <FormError error={save.error} />
          <Group justify="flex-end"><Button type="submit" loading={save.isPending}>{t.actions.save}</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Remove({ secret: s, onClose }: { secret: Secret; onClose: () => void }) {
  const remove = useChange(() => del<void>(`/secrets/${s.id}`));
  return (
    <Modal opened onClose={onClose} title={t.secrets.remove(s.name)}>
      <Stack gap="md">
        <Text size="sm">{t.secrets.removeText}</Text>
        <FormError error={remove.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>{t.actions.cancel}</Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined, { onSuccess: onClose })}>{t.actions.delete}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

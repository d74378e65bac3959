import { Button, Group, Modal, MultiSelect, Select, Stack, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useDo, useItems, type ApiKey, type NewApiKey } from '~/api/access';
import { del, post } from '~/api/client';
import { useProjects } from '~/api/queries';
import { Opener, type Opened } from '~/components/Opener';
import { Panel } from '~/components/Panel';
import { ScopesInput } from '~/components/ScopesInput';
import { ShownOnce } from '~/components/ShownOnce';
import { SmallTable } from '~/components/SmallTable';
import { FormError } from '~/components/States';
import { When } from '~/components/When';
import { t } from '~/text';

/** Keys are for programs that act as this person. */
export function Keys() {
  const keys = useItems<ApiKey>('/api-keys');
  const revoke = useDo((id: string) => del(`/api-keys/${id}`));
  return (
    <Panel
      title={t.keys.title} flush
      actions={<Opener button={(open) => <Button size="compact-sm" leftSection={<IconPlus size={13} />} onClick={open}>{t.keys.create}</Button>}>{(state) => <Create {...state} />}</Opener>}
    >
      <SmallTable
        label={t.keys.title} rows={keys.data} error={keys.error} empty={t.keys.none}
        columns={[
          { id: 'name', label: t.access.name, width: 140, cell: (k) => k.name },
          { id: 'scopes', label: t.access.scopes, width: 200, cell: (k) => <span className="mono">{k.scopes.slice(0, 3).join(', ')}{k.scopes.length > 3 && ` ${t.list.more(k.scopes.length - 3)}`}</span> },
          { id: 'used', label: t.keys.lastUsed, width: 100, cell: (k) => <When at={k.lastUsed} /> },
          { id: 'expires', label: t.keys.expires, width: 100, cell: (k) => <When at={k.expiresAt} /> },
          { id: 'revoke', label: '', width: 80, cell: (k) => <Button size="compact-xs" variant="default" c="var(--bad)" loading={revoke.isPending && revoke.variables === k.id} onClick={() => revoke.mutate(k.id)}>{t.keys.revoke}</Button> },
        ]}
      />
    </Panel>
  );
}

const days = ['7', '30', '90', '365'] as const;

function Create({ opened, onClose }: Opened) {
  const [form, setForm] = useState({ name: '', scopes: [] as string[], days: '90' as string, projects: [] as string[] });
  const projects = useProjects().data ?? [];
  const create = useDo((f: typeof form) => post<NewApiKey>('/api-keys', {
    name: f.name, scopes: f.scopes, expiresAt: new Date(Date.now() + Number(f.days) * 86_400_000).toISOString(), ...(f.projects.length > 0 ? { projects: f.projects } : {}),
  }));
  const close = () => {
    create.reset();
    setForm({ name: '', scopes: [], days: '90', projects: [] });
    onClose();
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    create.mutate(form);
  };
  return (
    <Modal opened={opened} onClose={close} title={t.keys.create} size="lg" closeOnClickOutside={!create.data}>
      {create.data ? (
        <Stack>
          <ShownOnce title={t.keys.made(create.data.name)} text={t.keys.once} value={create.data.token} />
          <Button variant="default" onClick={close}>{t.keys.copied}</Button>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="sm">
            <TextInput label={t.access.name} placeholder={t.keys.nameHint} required data-autofocus value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} />
            <ScopesInput value={form.scopes} onChange={(scopes) => setForm({ ...form, scopes })} />
            <MultiSelect label={t.keys.projects} placeholder={form.projects.length === 0 ? t.keys.everywhere : undefined} data={projects.map((p) => ({ value: p.id, label: p.name }))} value={form.projects} onChange={(v) => setForm({ ...form, projects: v })} />
            <Select label={t.keys.lasts} allowDeselect={false} data={days.map((d) => ({ value: d, label: t.keys.days(Number(d)) }))} value={form.days} onChange={(v) => setForm({ ...form, days: v ?? '90' })} />
            <FormError error={create.error} />
            <Group justify="flex-end"><Button type="submit" loading={create.isPending} disabled={form.scopes.length === 0}>{t.keys.create}</Button></Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

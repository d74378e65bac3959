import { Button, Group as Row, Modal, Stack, TagsInput, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useDo, useItems, type Group } from '~/api/access';
import { del, patch, post } from '~/api/client';
import { useMay } from '~/api/may';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { ScopesInput } from '~/components/ScopesInput';
import { SmallTable } from '~/components/SmallTable';
import { FormError } from '~/components/States';
import { count } from '~/lib/number';
import { t } from '~/text';
import detail from '~/components/Detail.module.css';

/** Groups give their members what they may do in every project. */
export default function Groups() {
  const groups = useItems<Group>('/groups');
  const may = useMay();
  const [open, setOpen] = useState<Group | 'new'>();
  return (
    <>
      <PageHead title={t.access.groups} note={groups.data && count(groups.data.length)}>
        {may('manage:groups:create') && <Button leftSection={<IconPlus size={14} />} onClick={() => setOpen('new')}>{t.access.newGroup}</Button>}
      </PageHead>
      <div className={detail.page}>
        <Panel title={t.access.groups} flush>
          <SmallTable
            label={t.access.groups} rows={groups.data} error={groups.error} empty={t.states.nothing}
            columns={[
              { id: 'name', label: t.access.name, width: 140, cell: (g) => <Button variant="subtle" size="compact-sm" onClick={() => setOpen(g)}>{g.name}</Button> },
              { id: 'about', label: t.access.description, width: 240, cell: (g) => <span className="faint">{g.description}</span> },
              { id: 'members', label: t.access.members, width: 80, align: 'right', cell: (g) => <span className="num">{count(g.members.length)}</span> },
              { id: 'scopes', label: t.access.scopes, width: 300, cell: (g) => <span className="mono">{g.scopes.slice(0, 4).join(', ')}{g.scopes.length > 4 && ` ${t.list.more(g.scopes.length - 4)}`}</span> },
            ]}
          />
        </Panel>
      </div>
      {open && <GroupDialog group={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function GroupDialog({ group: g, onClose }: { group?: Group; onClose: () => void }) {
  const [form, setForm] = useState({ name: g?.name ?? '', description: g?.description ?? '', scopes: g?.scopes ?? [], external: g?.external ?? [] });
  const may = useMay();
  const save = useDo((f: typeof form) => (g ? patch(`/groups/${g.id}`, f) : post('/groups', f)));
  const remove = useDo(() => del(`/groups/${g?.id}`));
  const readOnly = g?.builtIn === true || !may(g ? 'manage:groups:update' : 'manage:groups:create');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate(form, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={g ? g.name : t.access.newGroup} size="lg">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label={t.access.name} required readOnly={readOnly} data-autofocus value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} />
          <TextInput label={t.access.description} readOnly={readOnly} value={form.description} onChange={(e) => setForm({ ...form, description: e.currentTarget.value })} />
          <ScopesInput value={form.scopes} readOnly={readOnly} onChange={(scopes) => setForm({ ...form, scopes })} />
          <TagsInput label={t.access.external} description={t.access.externalHint} readOnly={readOnly} value={form.external} onChange={(external) => setForm({ ...form, external })} />
          <FormError error={save.error} />
          <Row justify="space-between">
            <span>{g && !g.builtIn && may('manage:groups:delete') && <ConfirmDelete title={t.access.removeGroup} text={t.access.removeGroupText} word={g.name} busy={remove.isPending} error={remove.error} onConfirm={() => remove.mutate(undefined, { onSuccess: onClose })} />}</span>
            {!readOnly && <Button type="submit" loading={save.isPending}>{t.actions.save}</Button>}
          </Row>
        </Stack>
      </form>
    </Modal>
  );
}

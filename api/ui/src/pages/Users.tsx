import { Button, Modal, MultiSelect, Stack, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { Link } from 'react-router';
import { linkOf, useDo, useItems, type Group, type Invited, type UserDetail } from '~/api/access';
import { post } from '~/api/client';
import { useMay } from '~/api/may';
import { DefinitionList } from '~/components/DefinitionList';
import { Opener, type Opened } from '~/components/Opener';
import { ShownOnce } from '~/components/ShownOnce';
import { FormError } from '~/components/States';
import type { Column } from '~/components/table';
import { When } from '~/components/When';
import { t } from '~/text';

const to = (u: UserDetail) => `/users/${u.id}`;

const columns: Column<UserDetail>[] = [
  { id: 'email', label: t.access.email, width: 220, grow: 1.5, narrow: 'first', cell: (u) => <Link className="link" to={to(u)}>{u.email}</Link> },
  { id: 'name', label: t.access.name, width: 160, grow: 1, narrow: 'second', cell: (u) => u.name },
  { id: 'active', label: t.access.active, width: 110, narrow: 'first', cell: (u) => (u.active ? t.access.yes : <span className="faint">{t.access.no}</span>) },
  { id: 'factor', label: t.access.secondFactor, width: 130, cell: (u) => (u.secondFactor ? t.access.yes : <span className="faint">{t.access.no}</span>) },
  { id: 'login', label: t.access.lastLogin, width: 120, narrow: 'second', cell: (u) => <When at={u.lastLogin} /> },
];

export default function Users() {
  const may = useMay();
  const list = useItems<UserDetail>('/users');
  return (
    <DefinitionList
      noun={t.nouns.user} list={list} columns={columns} to={to} search={t.access.searchUsers} textOf={(u) => `${u.email} ${u.name}`} empty={t.access.noUsers}
      actions={may('manage:users:create') && <Opener button={(open) => <Button leftSection={<IconPlus size={14} />} onClick={open}>{t.access.invite}</Button>}>{(state) => <Invite {...state} />}</Opener>}
    />
  );
}

/** Invite makes an account and shows the link with which its person sets a password. */
function Invite({ opened, onClose }: Opened) {
  const [form, setForm] = useState({ email: '', name: '', groups: [] as string[] });
  const groups = useItems<Group>('/groups').data ?? [];
  const invite = useDo((f: typeof form) => post<Invited>('/users', f));
  const close = () => {
    setForm({ email: '', name: '', groups: [] });
    invite.reset();
    onClose();
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    invite.mutate(form);
  };
  return (
    <Modal opened={opened} onClose={close} title={t.access.invite} size="lg">
      {invite.data ? (
        <Stack>
          <ShownOnce title={t.access.invited(invite.data.email)} text={t.access.linkText} value={linkOf(invite.data.link)} />
          <Button variant="default" onClick={close}>{t.actions.close}</Button>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="sm">
            <TextInput type="email" label={t.access.email} required data-autofocus value={form.email} onChange={(e) => setForm({ ...form, email: e.currentTarget.value })} autoComplete="off" />
            <TextInput label={t.access.name} value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} autoComplete="off" />
            <MultiSelect label={t.access.groups} description={t.access.groupsHint} data={groups.map((g) => ({ value: g.id, label: g.name }))} value={form.groups} onChange={(v) => setForm({ ...form, groups: v })} />
            <FormError error={invite.error} />
            <Button type="submit" loading={invite.isPending}>{t.access.invite}</Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

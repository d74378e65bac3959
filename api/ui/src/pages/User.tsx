import { Button, Checkbox, Group as Row, Stack, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { linkOf, useDo, useItems, type Group, type PasswordLink, type UserDetail } from '~/api/access';
import { del, patch, post, put } from '~/api/client';
import { useMay } from '~/api/may';
import { NotFound } from '~/app/NotFound';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Sessions } from '~/components/Sessions';
import { ShownOnce } from '~/components/ShownOnce';
import { FormError, Loading, Problem } from '~/components/States';
import { When } from '~/components/When';
import { t } from '~/text';

export default function User() {
  const { id } = useParams();
  const users = useItems<UserDetail>('/users');
  if (users.isPending) return <Loading />;
  if (users.error) return <Problem error={users.error} retry={() => void users.refetch()} />;
  const user = users.data.find((u) => u.id === id);
  return user ? <Loaded key={`${user.id}/${user.version}`} user={user} /> : <NotFound />;
}

function Loaded({ user: u }: { user: UserDetail }) {
  const may = useMay();
  const navigate = useNavigate();
  const [form, setForm] = useState({ name: u.name, email: u.email });
  const save = useDo((f: Partial<Pick<UserDetail, 'name' | 'email' | 'active'>>) => patch(`/users/${u.id}`, f));
  const remove = useDo(() => del(`/users/${u.id}`));
  const update = may('manage:users:update-all');
  const changed = form.name !== u.name || form.email !== u.email;
  return (
    <>
      <PageHead title={u.email} up={{ to: '/users', label: t.nouns.user.title }}>
        <Switch size="sm" label={t.access.active} checked={u.active} disabled={!update || save.isPending} onChange={(e) => save.mutate({ active: e.currentTarget.checked })} />
        {may('manage:users:delete') && (
          <ConfirmDelete title={t.access.removeUser} text={t.access.removeUserText} word={u.email} busy={remove.isPending} error={remove.error} onConfirm={() => remove.mutate(undefined, { onSuccess: () => void navigate('/users') })} />
        )}
      </PageHead>
      <div className={detail.columns}>
        <div className={detail.main}>
          <Panel title={t.resource.details}>
            <Stack gap="sm">
              <TextInput label={t.access.name} readOnly={!update} value={form.name} onChange={(e) => setForm({ ...form, name: e.currentTarget.value })} />
              <TextInput label={t.access.email} readOnly={!update} value={form.email} onChange={(e) => setForm({ ...form, email: e.currentTarget.value })} />
              <FormError error={save.error} />
              {changed && <Row justify="flex-end"><Button loading={save.isPending} onClick={() => save.mutate(form)}>{t.actions.save}</Button></Row>}
            </Stack>
          </Panel>
          <Groups user={u} />
          <Sessions path={`/users/${u.id}/sessions`} end={update ? () => del(`/users/${u.id}/sessions`) : undefined} />
        </div>
        <aside className={detail.side}>
          <Panel title={t.access.account}>
            <Facts facts={[
              u.createdAt && [t.access.created, <When key="c" at={u.createdAt} />],
              [t.access.lastLogin, <When key="l" at={u.lastLogin} />],
              [t.access.password, u.hasPassword ? t.access.set : t.access.notSet],
              [t.access.secondFactor, u.secondFactor ? t.access.yes : t.access.no],
              u.singleSignOn && [t.access.signOn, t.access.yes],
            ]} />
          </Panel>
          {update && <Help user={u} />}
        </aside>
      </div>
    </>
  );
}

function Groups({ user: u }: { user: UserDetail }) {
  const groups = useItems<Group>('/groups');
  const may = useMay();
  const move = useDo(({ group, member }: { group: string; member: boolean }) => (member ? put(`/groups/${group}/members/${u.id}`) : del(`/groups/${group}/members/${u.id}`)));
  return (
    <Panel title={t.access.groups}>
      <Stack gap="xs">
        {groups.data?.map((g) => (
          <Checkbox key={g.id} label={g.name} description={g.description} disabled={!may('manage:groups:update') || move.isPending} checked={g.members.includes(u.id)} onChange={(e) => move.mutate({ group: g.id, member: e.currentTarget.checked })} />
        ))}
        <FormError error={move.error} />
      </Stack>
    </Panel>
  );
}

/** Help is for who cannot log in any more. */
function Help({ user: u }: { user: UserDetail }) {
  const link = useDo(() => post<PasswordLink>(`/users/${u.id}/password-link`));
  const reset = useDo(() => del(`/users/${u.id}/second-factor`));
  return (
    <Panel title={t.access.help}>
      <Stack gap="sm" align="flex-start">
        <Button variant="default" loading={link.isPending} onClick={() => link.mutate()}>{t.access.newLink}</Button>
        {link.data && <ShownOnce title={t.access.newLink} text={t.access.linkText} value={linkOf(link.data)} />}
        {u.secondFactor && <Button variant="default" loading={reset.isPending} onClick={() => reset.mutate()}>{t.access.resetFactor}</Button>}
        <FormError error={link.error ?? reset.error} />
      </Stack>
    </Panel>
  );
}

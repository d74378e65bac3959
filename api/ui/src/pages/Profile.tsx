import { Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useDo } from '~/api/access';
import { del, patch, put } from '~/api/client';
import { useMe } from '~/api/queries';
import type { Me } from '~/api/types';
import { notify } from '~/app/notify';
import detail from '~/components/Detail.module.css';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Sessions } from '~/components/Sessions';
import { FormError, Loading } from '~/components/States';
import { t } from '~/text';
import { Keys } from './profile/Keys';
import { SecondFactor } from './profile/SecondFactor';

/** Profile is everything about one's own account. */
export default function Profile() {
  const me = useMe().data;
  if (!me) return <Loading />;
  return (
    <>
      <PageHead title={t.profile.title} note={me.email} />
      <div className={detail.columns}>
        <div className={detail.main}>
          <Keys />
          <Sessions path="/me/sessions" own end={() => del('/me/sessions')} />
        </div>
        <aside className={detail.side}>
          <Name key={me.name} me={me} />
          {me.hasPassword && <Password />}
          {me.hasPassword && <SecondFactor on={me.secondFactor} />}
        </aside>
      </div>
    </>
  );
}

function Name({ me }: { me: Me }) {
  const [name, setName] = useState(me.name);
  const save = useDo((n: string) => patch('/me', { name: n }));
  return (
    <Panel title={t.access.name}>
      <Group gap="xs" align="flex-start">
        <TextInput flex={1} aria-label={t.access.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={save.error?.message} />
        <Button size="sm" disabled={name === me.name} loading={save.isPending} onClick={() => save.mutate(name)}>{t.actions.save}</Button>
      </Group>
    </Panel>
  );
}

function Password() {
  const [form, setForm] = useState({ password: '', newPassword: '' });
  const save = useDo((f: typeof form) => put('/me/password', f));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate(form, {
      onSuccess: () => {
        setForm({ password: '', newPassword: '' });
        void notify({ message: t.profile.passwordChanged });
      },
    });
  };
  return (
    <Panel title={t.access.password}>
      <form onSubmit={submit}>
        <Stack gap="xs">
          <PasswordInput label={t.profile.password} required autoComplete="current-password" value={form.password} onChange={(e) => setForm({ ...form, password: e.currentTarget.value })} />
          <PasswordInput label={t.profile.newPassword} description={t.setup.passwordHint} required minLength={12} autoComplete="new-password" value={form.newPassword} onChange={(e) => setForm({ ...form, newPassword: e.currentTarget.value })} />
          <FormError error={save.error} />
          <Group justify="flex-end"><Button type="submit" loading={save.isPending}>{t.profile.change}</Button></Group>
        </Stack>
      </form>
    </Panel>
  );
}

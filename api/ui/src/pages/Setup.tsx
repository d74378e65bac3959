import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Navigate, useLocation, useNavigate } from 'react-router';
import { post } from '~/api/client';
import { keys } from '~/api/keys';
import { useSetupNeeded } from '~/api/queries';
import type { User } from '~/api/types';
import { FormError, Loading } from '~/components/States';
import { t } from '~/text';
import { AuthFrame } from './AuthFrame';

/** Setup creates the first user. The code comes in the address, after #, or is typed. */
export default function Setup() {
  const fromAddress = decodeURIComponent(useLocation().hash.slice(1));
  const [form, setForm] = useState({ code: fromAddress, name: '', email: '', password: '' });
  const client = useQueryClient();
  const navigate = useNavigate();
  const setup = useSetupNeeded();
  const create = useMutation({
    mutationFn: () => post<User>('/setup', { ...form, code: form.code.trim() }),
    onSuccess: async () => {
      client.removeQueries({ queryKey: keys.me });
      await navigate('/', { replace: true });
      client.setQueryData(keys.setup, { needed: false });
    },
  });
  if (setup.isPending) return <Loading full />;
  if (setup.data && !setup.data.needed && !create.isSuccess) return <Navigate to="/" replace />;
  const field = (name: keyof typeof form) => ({
    label: t.setup[name],
    required: true,
    value: form[name],
    onChange: (e: { currentTarget: HTMLInputElement }) => {
      const { value } = e.currentTarget;
      setForm((f) => ({ ...f, [name]: value }));
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    create.mutate();
  };
  return (
    <AuthFrame title={t.setup.title} text={fromAddress ? undefined : t.setup.text}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {!fromAddress && <TextInput {...field('code')} autoFocus autoComplete="one-time-code" spellCheck={false} classNames={{ input: 'mono' }} />}
          <TextInput {...field('name')} autoFocus={fromAddress !== ''} autoComplete="name" />
          <TextInput {...field('email')} type="email" autoComplete="username" />
          <PasswordInput {...field('password')} description={t.setup.passwordHint} minLength={12} autoComplete="new-password" />
          <FormError error={create.error} />
          <Button type="submit" size="sm" fullWidth loading={create.isPending}>{t.setup.submit}</Button>
        </Stack>
      </form>
    </AuthFrame>
  );
}

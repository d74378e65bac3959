import { Alert, Button, Divider, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Navigate, useNavigate, useSearchParams } from 'react-router';
import { ApiError, post, urlOf } from '~/api/client';
import { keys } from '~/api/keys';
import { useLoginMethods, useSetupNeeded } from '~/api/queries';
import type { User } from '~/api/types';
import { FormError } from '~/components/States';
import { inside } from '~/lib/inside';
import { t } from '~/text';
import { AuthFrame } from './AuthFrame';

const wanted = 'stalker-wanted';

export default function Login() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [params] = useSearchParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const setup = useSetupNeeded();
  const ways = useLoginMethods();
  const login = useMutation({
    mutationFn: () => post<User>('/login', { email, password, ...(code ? { code: code.replace(/\s/g, '') } : {}) }),
    onSuccess: async () => {
      client.removeQueries({ queryKey: keys.me });
      await navigate(inside(params.get('next')), { replace: true });
    },
  });
  const factor = login.error instanceof ApiError && login.error.secondFactor || code !== '';
  // back from the single sign-on, which knows nothing of where somebody wanted to go
  if (params.has('signedOn')) return <Navigate to={inside(sessionStorage.getItem(wanted))} replace />;
  if (setup.data?.needed) return <Navigate to="/setup" replace />;
  const refused = params.get('refused');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    login.mutate();
  };
  return (
    <AuthFrame title={t.login.title}>
      {refused !== null && <Alert color="red" variant="light" role="alert">{t.login.refused[refused] ?? t.login.refusedOther}</Alert>}
      {ways.data?.singleSignOn && (
        <>
          <Button component="a" href={urlOf('/login/sso')} variant="default" size="sm" fullWidth onClick={() => sessionStorage.setItem(wanted, inside(params.get('next')))}>{t.login.signOn}</Button>
          <Divider label={t.login.or} />
        </>
      )}
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput type="email" label={t.login.email} autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
          <PasswordInput label={t.login.password} autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
          {factor && <TextInput label={t.login.code} required autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={7} value={code} onChange={(e) => setCode(e.currentTarget.value)} />}
          {!(factor && code === '') && <FormError error={login.error} />}
          <Button type="submit" size="sm" fullWidth loading={login.isPending}>{t.login.submit}</Button>
        </Stack>
      </form>
    </AuthFrame>
  );
}

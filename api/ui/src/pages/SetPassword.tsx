import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Link, useLocation } from 'react-router';
import { post } from '~/api/client';
import { FormError } from '~/components/States';
import { t } from '~/text';
import { AuthFrame } from './AuthFrame';

/** SetPassword is where the link leads that an invited person gets. The token stands after #, which no server sees. */
export default function SetPassword() {
  const token = useLocation().hash.slice(1);
  const [password, setPassword] = useState('');
  const use = useMutation({ mutationFn: () => post<void>('/password-links/use', { token, password }) });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    use.mutate();
  };
  return (
    <AuthFrame title={t.setPassword.title} text={token ? undefined : t.setPassword.noToken}>
      {use.isSuccess ? (
        <Stack gap="sm"><Text size="sm">{t.setPassword.done}</Text><Button component={Link} to="/login">{t.login.submit}</Button></Stack>
      ) : token && (
        <form onSubmit={submit}>
          <Stack gap="sm">
            <PasswordInput label={t.profile.newPassword} description={t.setup.passwordHint} required minLength={12} autoFocus autoComplete="new-password" value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
            <FormError error={use.error} />
            <Button type="submit" size="sm" fullWidth loading={use.isPending}>{t.setPassword.submit}</Button>
          </Stack>
        </form>
      )}
    </AuthFrame>
  );
}

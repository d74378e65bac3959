import { Button, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { encode } from 'uqr';
import { useDo } from '~/api/access';
import { del, post, put } from '~/api/client';
import { CopyButton } from '~/components/CopyButton';
import { Panel } from '~/components/Panel';
import { FormError } from '~/components/States';
import { t } from '~/text';

interface Secret {
  secret: string;
  url: string;
}

/** SecondFactor turns codes of an authenticator on and off. The QR code is drawn here: the secret goes nowhere else. */
export function SecondFactor({ on }: { on: boolean }) {
  const begin = useDo(() => post<Secret>('/me/second-factor'));
  return (
    <Panel title={t.access.secondFactor} note={on ? t.access.yes : t.access.no}>
      {on ? <Off /> : begin.data ? <Confirm secret={begin.data} /> : (
        <Stack gap="sm" align="flex-start">
          <Text size="sm" className="faint">{t.profile.factorText}</Text>
          <FormError error={begin.error} />
          <Button variant="default" loading={begin.isPending} onClick={() => begin.mutate()}>{t.profile.factorBegin}</Button>
        </Stack>
      )}
    </Panel>
  );
}

function Confirm({ secret: s }: { secret: Secret }) {
  const [form, setForm] = useState({ code: '', password: '' });
  const confirm = useDo((f: typeof form) => put('/me/second-factor', { ...f, secret: s.secret }));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    confirm.mutate({ ...form, code: form.code.replace(/\s/g, '') });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text size="sm">{t.profile.scan}</Text>
        <QRCode text={s.url} />
        <Group gap={4}><span className="mono" style={{ overflowWrap: 'anywhere' }}>{s.secret}</span><CopyButton value={s.secret} /></Group>
        <TextInput label={t.profile.code} required inputMode="numeric" autoComplete="one-time-code" maxLength={7} value={form.code} onChange={(e) => setForm({ ...form, code: e.currentTarget.value })} />
        <PasswordInput label={t.profile.password} required autoComplete="current-password" value={form.password} onChange={(e) => setForm({ ...form, password: e.currentTarget.value })} />
        <FormError error={confirm.error} />
        <Group justify="flex-end"><Button type="submit" loading={confirm.isPending}>{t.profile.factorOn}</Button></Group>
      </Stack>
    </form>
  );
}

function Off() {
  const [password, setPassword] = useState('');
  const off = useDo((p: string) => del('/me/second-factor', { password: p }));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    off.mutate(password);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <PasswordInput label={t.profile.password} required autoComplete="current-password" value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
        <FormError error={off.error} />
        <Group justify="flex-end"><Button type="submit" variant="default" loading={off.isPending}>{t.profile.factorOff}</Button></Group>
      </Stack>
    </form>
  );
}

/** QRCode draws a text for a camera: dark on light in both themes, or few readers see it. */
function QRCode({ text }: { text: string }) {
  const { data, size } = encode(text, { border: 2 });
  const path = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return (
    <svg viewBox={`0 0 ${size} ${size}`} width={180} height={180} role="img" aria-label={t.profile.qr} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

import { Button, Group, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { Source, SourceInput } from '~/api/sources';
import { FormError } from '~/components/States';
import { t } from '~/text';

interface Props {
  of?: Source;
  submit: string;
  busy: boolean;
  error: Error | null;
  onSubmit: (s: SourceInput) => void;
}

const intervals = [0, 300, 900, 3600, 21_600, 86_400];

/** SourceForm asks where a repository is and how often it is read. */
export function SourceForm({ of: s, submit, busy, error, onSubmit }: Props) {
  const [url, setUrl] = useState(s?.url ?? '');
  const [branch, setBranch] = useState(s?.branch ?? '');
  const [interval, setInterval] = useState(s?.interval ?? 3600);
  const [deployKey, setDeployKey] = useState('');
  const [knownHosts, setKnownHosts] = useState(s?.knownHosts ?? '');
  const ssh = /^ssh:/i.test(url.trim());
  const send = (e: FormEvent) => {
    e.preventDefault();
    onSubmit({ url: url.trim(), branch: branch.trim(), interval, ...(ssh ? { knownHosts, ...(deployKey && { deployKey }) } : s && { knownHosts: '', deployKey: '' }) });
  };
  const choices = [...new Set([...intervals, interval])].sort((a, b) => a - b);
  return (
    <form onSubmit={send}>
      <Stack gap="sm">
        {!s && <Text size="sm" className="faint">{t.sources.text}</Text>}
        <TextInput label={t.sources.url} description={t.sources.urlHint} placeholder="https://git.example.com/team/rules.git" required value={url} onChange={(e) => setUrl(e.currentTarget.value)} data-autofocus spellCheck={false} autoComplete="off" classNames={{ input: 'mono' }} />
        {ssh && (
          <>
            <Textarea label={t.sources.deployKey} description={t.sources.deployKeyHint} placeholder={s?.publicKey ? t.sources.deployKeySet : undefined} value={deployKey} onChange={(e) => setDeployKey(e.currentTarget.value)} rows={3} spellCheck={false} autoComplete="off" classNames={{ input: 'mono' }} />
            {s?.publicKey && <TextInput label={t.sources.publicKey} value={s.publicKey} readOnly classNames={{ input: 'mono' }} />}
            <Textarea label={t.sources.knownHosts} description={t.sources.knownHostsHint} value={knownHosts} onChange={(e) => setKnownHosts(e.currentTarget.value)} rows={3} spellCheck={false} autoComplete="off" classNames={{ input: 'mono' }} />
          </>
        )}
        <TextInput label={t.sources.branch} description={t.sources.branchHint} value={branch} onChange={(e) => setBranch(e.currentTarget.value)} spellCheck={false} autoComplete="off" />
        <Select label={t.sources.interval} allowDeselect={false} value={String(interval)} onChange={(v) => setInterval(Number(v))} data={choices.map((n) => ({ value: String(n), label: t.sources.every(n) }))} />
        <FormError error={error} />
        <Group justify="flex-end"><Button type="submit" loading={busy} disabled={url.trim() === ''}>{submit}</Button></Group>
      </Stack>
    </form>
  );
}

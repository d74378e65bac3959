import { Button, Checkbox, Group, Input, Select, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMayEverywhere } from '~/api/may';
import type { Notification, NotificationInput } from '~/api/notifications';
import { useProjects } from '~/api/queries';
import { draftOf, inputOf, type NotificationDraft } from '~/lib/notification';
import { t } from '~/text';
import { ChannelFields } from './ChannelFields';
import { FilterBox } from './FilterBox';
import { Panel } from './Panel';
import { FormError } from './States';

interface Props {
  of?: Notification;
  project?: string;
  submit: string;
  busy: boolean;
  error: Error | null;
  readOnly?: boolean;
  onSubmit: (n: NotificationInput) => void;
}

const kinds = ['', 'domain', 'host', 'ip_range', 'port', 'website'] as const;
const filters: Record<string, string> = { domain: 'domains', host: 'hosts', ip_range: 'ip-ranges', port: 'ports', website: 'websites' };
const whats = ['opened', 'closed', 'deleted', 'reappeared', 'set', 'changed'] as const;
const digests = [0, 900, 3600, 21_600, 86_400, 604_800];

/** NotificationForm asks what is told, to whom, and when. */
export function NotificationForm(p: Props) {
  const [n, setN] = useState(() => draftOf(p.of, p.project));
  const set = (part: Partial<NotificationDraft>) => setN((was) => ({ ...was, ...part }));
  const send = (e: FormEvent) => {
    e.preventDefault();
    p.onSubmit(inputOf(n, p.of));
  };
  return (
    <form onSubmit={send}>
      <fieldset disabled={p.readOnly} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
        <Stack gap="sm">
          <Panel title={t.notifications.what}><Stack gap="sm"><What n={n} set={set} of={p.of} /></Stack></Panel>
          <Panel title={t.notifications.who}><Stack gap="sm"><ChannelFields was={p.of?.channel} value={n.channel} onChange={(channel) => set({ channel })} /></Stack></Panel>
          <Panel title={t.notifications.when}><Stack gap="sm"><Times n={n} set={set} /></Stack></Panel>
          <FormError error={p.error} />
          {!p.readOnly && <Group justify="flex-end"><Button type="submit" loading={p.busy} disabled={n.name.trim() === ''}>{p.submit}</Button></Group>}
        </Stack>
      </fieldset>
    </form>
  );
}

interface PartProps {
  n: NotificationDraft;
  set: (part: Partial<NotificationDraft>) => void;
}

function What({ n, set, of }: PartProps & { of?: Notification }) {
  const projects = useProjects().data ?? [];
  const everywhere = useMayEverywhere()('manage:notifications:create');
  const choices = [...(everywhere ? [{ value: '', label: t.subscription.every }] : []), ...projects.map((x) => ({ value: x.id, label: x.name }))];
  const filtered = n.source === 'findings' ? 'findings' : filters[n.kind];
  return (
    <>
      <TextInput label={t.access.name} required value={n.name} onChange={(e) => set({ name: e.currentTarget.value })} maxLength={200} autoComplete="off" />
      {!of && <Select label={t.subscription.scope} required={!everywhere} allowDeselect={false} searchable data={choices} value={n.projectId} onChange={(v) => set({ projectId: v ?? '' })} />}
      <Select
        label={t.notifications.source} allowDeselect={false} value={n.source} onChange={(v) => set({ source: v as NotificationDraft['source'], q: '' })}
        data={(['changes', 'findings'] as const).map((value) => ({ value, label: t.notifications.sources[value] }))}
      />
      {n.source === 'changes' && (
        <>
          <Select label={t.changes.kind} allowDeselect={false} data={kinds.map((value) => ({ value, label: t.notifications.kinds[value] ?? t.changes.anyKind }))} value={n.kind} onChange={(v) => set({ kind: v ?? '', q: '' })} />
          <Checkbox.Group label={t.notifications.events} description={t.notifications.eventsHint} value={n.what} onChange={(what) => set({ what })}>
            <Group gap="md" mt={6}>{whats.map((v) => <Checkbox key={v} value={v} label={t.notifications.whats[v]} />)}</Group>
          </Checkbox.Group>
        </>
      )}
      {filtered && (
        <div onKeyDown={(e) => e.key === 'Enter' && e.preventDefault()}>
          <Input.Label component="span" mb={4}>{t.notifications.only}</Input.Label>
          <FilterBox key={filtered} kind={filtered} value={n.q} onChange={(q) => set({ q })} onType={(q) => set({ q })} label={n.source === 'findings' ? t.notifications.onlyFindings : t.notifications.onlyChanges} />
        </div>
      )}
    </>
  );
}

const zones = Intl.supportedValuesOf('timeZone');

function Times({ n, set }: PartProps) {
  const choices = [...new Set([...digests, n.digest])].sort((a, b) => a - b);
  return (
    <>
      <Select label={t.notifications.digest} allowDeselect={false} data={choices.map((s) => ({ value: String(s), label: t.notifications.digests(s) }))} value={String(n.digest)} onChange={(v) => set({ digest: Number(v) })} />
      <Checkbox label={t.notifications.quiet} description={t.notifications.quietHint} checked={n.quiet} onChange={(e) => set({ quiet: e.currentTarget.checked })} />
      {n.quiet && (
        <Group gap="sm" align="flex-end">
          <TextInput type="time" label={t.notifications.from} required w={120} value={n.from} onChange={(e) => set({ from: e.currentTarget.value })} />
          <TextInput type="time" label={t.notifications.until} required w={120} value={n.to} onChange={(e) => set({ to: e.currentTarget.value })} />
          <Select label={t.schedule.itsZone} searchable allowDeselect={false} flex={1} miw={180} data={[...new Set(['UTC', ...zones, n.zone])]} limit={50} value={n.zone} onChange={(v) => set({ zone: v ?? 'UTC' })} />
        </Group>
      )}
    </>
  );
}

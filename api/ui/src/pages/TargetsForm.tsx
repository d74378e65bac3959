import { Button, Checkbox, FileButton, Group, Select, Stack, Text, Textarea } from '@mantine/core';
import { IconFileText } from '@tabler/icons-react';
import { useMemo, useState, type FormEvent } from 'react';
import { useAddTargets } from '~/api/targets';
import type { Project } from '~/api/types';
import { notify } from '~/app/notify';
import { FormError } from '~/components/States';
import { notAllowed, specialNetworks } from '~/lib/special';
import { countTargets, readTargets, type Targets } from '~/lib/targets';
import { t } from '~/text';

export interface TargetsProps {
  projects: Project[];
  project?: string;
  fixed: boolean;
  onDone: () => void;
}

/** TargetsForm takes many targets at once and says what it understood before anything is sent. */
export function TargetsForm({ projects, project: initial, fixed, onDone }: TargetsProps) {
  const [id, setId] = useState(initial ?? null);
  const [text, setText] = useState('');
  const [allow, setAllow] = useState(false);
  const targets = useMemo(() => readTargets(text), [text]);
  const project = projects.find((p) => p.id === id);
  const closed = notAllowed(specialNetworks([...targets.ips, ...targets.ranges]), project?.internal);
  const add = useAddTargets();
  const n = countTargets(targets);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!project) return;
    add.mutate({ project, targets, internal: allow ? closed : [] }, {
      onSuccess: ({ added, visible }) => {
        void notify({ title: t.targets.done(added), message: visible ? t.targets.visible : t.targets.soon });
        onDone();
      },
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {!fixed && <ProjectSelect projects={projects} value={id ?? ''} onChange={setId} />}
        <Textarea
          label={t.targets.paste} description={t.targets.hint} placeholder={t.targets.placeholder} data-autofocus
          autosize minRows={6} maxRows={14} spellCheck={false} classNames={{ input: 'mono' }}
          value={text} onChange={(e) => setText(e.currentTarget.value)}
        />
        <Understood targets={targets} />
        {closed.length > 0 && project && (
          <Checkbox checked={allow} onChange={(e) => setAllow(e.currentTarget.checked)} label={t.targets.allow(closed.join(', '))} description={t.targets.private} />
        )}
        <FormError error={add.error} />
        <Group justify="space-between">
          <FileButton onChange={(f) => void f?.text().then((s) => setText((was) => (was ? `${was}\n${s}` : s)))} accept="text/plain,.txt,.csv,.lst">
            {(props) => <Button variant="default" leftSection={<IconFileText size={14} />} {...props}>{t.targets.file}</Button>}
          </FileButton>
          <Button type="submit" disabled={n === 0 || !project} loading={add.isPending}>{t.targets.submit(n)}</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** ProjectSelect asks where targets belong. */
export function ProjectSelect({ projects, value, onChange }: { projects: Project[]; value: string; onChange: (id: string) => void }) {
  return (
    <Select
      label={t.targets.project} required searchable allowDeselect={false} data={projects.map((p) => ({ value: p.id, label: p.name }))}
      value={value || null} onChange={(v) => onChange(v ?? '')}
    />
  );
}

function Understood({ targets }: { targets: Targets }) {
  const known = t.targets.understood(targets.domains.length, targets.ips.length, targets.ranges.length);
  const { unknown } = targets;
  return (
    <Stack gap={2} aria-live="polite">
      {known && <Text size="sm">{known}</Text>}
      {unknown.length > 0 && (
        <Text size="sm" c="var(--warn)" style={{ overflowWrap: 'anywhere' }}>
          {t.targets.unknown(unknown.length)} {unknown.slice(0, 5).map((u) => t.targets.line(u.line, u.text)).join('; ')}
          {unknown.length > 5 && ' …'}
        </Text>
      )}
    </Stack>
  );
}

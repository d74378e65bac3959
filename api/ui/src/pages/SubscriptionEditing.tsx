import { Alert, Button, Group, Select, Switch, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMemo, useRef, useState } from 'react';
import { ApiError } from '~/api/client';
import { useDocumentCheck, useFindingKeys, type SubscriptionCheck } from '~/api/automation';
import { useJobs } from '~/api/queries';
import { CodeEditor } from '~/editor';
import { completer } from '~/editor/rules';
import { Panel } from '~/components/Panel';
import { FormError } from '~/components/States';
import { t } from '~/text';
import classes from './Subscription.module.css';

interface Props {
  document: string;
  onChange?: (document: string) => void;
  onSave: () => void;
  saving: boolean;
  error: Error | null;
  changed: boolean;
  /** what has to be chosen first; until then nothing is wrong */
  unfinished?: string;
}

const none: never[] = [];

/** Editing is a subscription's document with what the server says about it while it is written. */
export function Editing({ document, onChange, onSave, saving, error, changed, unfinished }: Props) {
  const [settled] = useDebouncedValue(document, 300);
  const check = useDocumentCheck(settled).data;
  const jobs = useJobs().data?.items;
  const findings = useFindingKeys().data;
  const known = useRef({ findings: [] as string[], jobs: [] as { name: string; parameters: string[] }[] });
  known.current = {
    findings: findings ?? [],
    jobs: (jobs ?? []).map((j) => ({ name: j.name, parameters: (j.parameters ?? []).map((p) => p.name) })),
  };
  const complete = useMemo(() => completer(() => known.current), []);
  const marks = (!unfinished && check?.problems) || none;
  const right = check !== undefined && marks.length === 0 && !unfinished;
  return (
    <Panel
      title={t.subscription.document}
      note={unfinished ?? (check && (right ? <span className={classes.good}>{t.subscription.right}</span> : <span className={classes.bad}>{t.subscription.wrong(marks.length)}</span>))}
      actions={onChange && <Button size="compact-sm" loading={saving} disabled={!changed || unfinished !== undefined} onClick={onSave}>{t.actions.save}</Button>}
      flush
    >
      <CodeEditor language="yaml" label={t.subscription.document} value={document} onChange={onChange} marks={marks} complete={complete} onSave={() => changed && !unfinished && onSave()} minHeight="320px" />
      {marks.length > 0 && (
        <ul className={classes.problems} aria-live="polite">
          {marks.map((m, i) => <li key={i}><span className="faint num">{m.line > 0 ? t.subscription.at(m.line, m.column) : ''}</span> {m.message}</li>)}
        </ul>
      )}
      {right && check.trigger && <Text size="sm" className={classes.says}>{says(check)}</Text>}
      {error && !(error instanceof ApiError && error.errors.length > 0) && <Group p="sm"><FormError error={error} /></Group>}
    </Panel>
  );
}

function says({ trigger, findings, schedule, job }: SubscriptionCheck): string {
  if (trigger === 'event') return t.subscription.saysEvent(job ?? '', (findings ?? []).join(', '));
  return t.subscription.saysTime(job ?? '', schedule ?? '', trigger ?? '');
}

interface ScopeProps {
  projects: { id: string; name: string }[];
  value: string;
  onChange: (id: string) => void;
}

/** Scope says for whom a new subscription is. */
export function Scope({ projects, value, onChange }: ScopeProps) {
  return (
    <Select
      label={t.subscription.scope} allowDeselect={false} searchable value={value} onChange={(v) => onChange(v ?? '')}
      data={[{ value: '', label: t.subscription.every }, ...projects.map((p) => ({ value: p.id, label: p.name }))]}
    />
  );
}

/** Enabled switches a subscription on and off, at once. */
export function Enabled({ on, disabled, onChange }: { on: boolean; disabled: boolean; onChange: (on: boolean) => void }) {
  return <Switch size="sm" checked={on} disabled={disabled} label={on ? t.subscription.on : t.subscription.off} onChange={(e) => onChange(e.currentTarget.checked)} />;
}

/** useDraft is what is written and not yet saved. */
export function useDraft(saved: string): [draft: string, set: (s: string) => void, changed: boolean] {
  const [draft, setDraft] = useState<string>();
  const now = draft ?? saved;
  return [now, setDraft, now !== saved];
}

export function ReadOnly({ text }: { text: string }) {
  return <Alert variant="light" color="gray" py={8}>{text}</Alert>;
}

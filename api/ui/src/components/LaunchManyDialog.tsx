import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { useLaunchMany, useLaunchPreview, type Launched, type LaunchMany } from '~/api/launch';
import { byProject, type Aim } from '~/api/marks';
import { useJobs } from '~/api/queries';
import type { Parameter } from '~/api/types';
import { notify } from '~/app/notify';
import { argumentOf, textOf } from '~/lib/arguments';
import { count } from '~/lib/number';
import { filled } from '~/lib/skeleton';
import { t, type Noun } from '~/text';
import classes from './BulkBar.module.css';
import { Field } from './LaunchDialog';
import { KeyLink } from './Links';
import { FormError } from './States';

const none: Parameter[] = [];

interface Props {
  path: string;
  noun: Noun;
  aim: Aim;
  total: number;
  onClose: () => void;
}

/** LaunchManyDialog runs a job for what is chosen, and says how many that are before anything starts. */
export default function LaunchManyDialog({ path, noun, aim, total, onClose }: Props) {
  const jobs = useJobs().data?.items ?? [];
  const [name, setName] = useState('');
  const [values, setValues] = useState<Record<string, string>>({});
  const [size, setSize] = useState('');
  const launch = useLaunchMany();
  const navigate = useNavigate();
  const parameters = jobs.find((j) => j.name === name)?.parameters ?? none;
  const projects = 'select' in aim ? [aim.project] : [...byProject(aim.rows).keys()];
  const project = projects.length === 1 ? projects[0] : undefined;
  // as text, since what is drawn again is another object with the same in it
  const wish = project && name ? JSON.stringify(input(aim, path, project, name, parameters, values, size)) : '';
  const [settled] = useDebouncedValue(wish, 400);
  const preview = useLaunchPreview(settled);
  const n = preview.data?.executions ?? 0;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (wish === '') return;
    launch.mutate(JSON.parse(wish) as LaunchMany, {
      onSuccess: (x) => {
        void notify({ message: t.launch.startedMany(count(x.executions)) });
        onClose();
        void navigate(`/executions?${new URLSearchParams({ q: `job:${name}` })}`);
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title={t.launch.many(count(total), total === 1 ? noun.one : noun.many)} size="lg">
      {!project ? <Text size="sm" role="alert">{t.launch.oneProject}</Text> : (
        <form onSubmit={submit}>
          <Stack gap="sm">
            <Select label={t.execution.job} required searchable allowDeselect={false} data={jobs.map((j) => j.name)} value={name || null} onChange={(v) => (setName(v ?? ''), setValues({}))} data-autofocus />
            {parameters.map((p) => <Field key={p.name} parameter={p} filled={filled(p.name)} value={values[p.name] ?? ''} onChange={(v) => setValues((was) => ({ ...was, [p.name]: v }))} />)}
            <TextInput label={t.launch.perExecution} description={t.launch.perExecutionHint} inputMode="numeric" value={size} onChange={(e) => setSize(e.currentTarget.value.replace(/\D/g, ''))} />
            {preview.data && wish && <Would of={preview.data} />}
            <FormError error={launch.error ?? (wish ? preview.error : null)} />
            <Group justify="flex-end"><Button type="submit" disabled={wish === '' || settled !== wish || n === 0} loading={launch.isPending}>{n > 0 ? t.launch.startMany(count(n)) : t.launch.submit}</Button></Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

function input(aim: Aim, path: string, projectId: string, job: string, parameters: Parameter[], values: Record<string, string>, size: string): LaunchMany {
  const args = parameters.map((p) => argumentOf(p, values[p.name] ?? '')).filter((a) => a !== undefined);
  return {
    projectId, job, kind: path.slice(1) as LaunchMany['kind'], arguments: args,
    ...('select' in aim ? { select: { q: aim.select } } : { ids: aim.rows.map((r) => r.id) }),
    ...(Number(size) > 0 ? { batchSize: Number(size) } : {}),
  };
}

/** Would is what starting it would start. */
function Would({ of: x }: { of: Launched }) {
  const { blocked, outOfScope, merged } = x.skipped;
  return (
    <div className={classes.would} role="status" aria-live="polite">
      <b>{t.launch.would(count(x.executions), count(x.resources))}</b>
      {blocked + outOfScope + merged > 0 && <div>{t.launch.leftOut(blocked, outOfScope, merged)}</div>}
      {x.examples[0] && (
        <div className="faint">
          {t.launch.example} {x.examples[0].target && <KeyLink of={x.examples[0].target} />} <span className="mono">{(x.examples[0].arguments ?? []).map((a) => `${a.name}=${textOf(a.value)}`).join(' ')}</span>
        </div>
      )}
    </div>
  );
}

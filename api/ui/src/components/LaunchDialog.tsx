import { Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput, type TextInputProps } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { useLaunch } from '~/api/launch';
import { useJobs, useProjects } from '~/api/queries';
import type { Argument, Parameter } from '~/api/types';
import { useProject } from '~/app/project';
import { argumentOf, textOf } from '~/lib/arguments';
import { t } from '~/text';
import type { Opened } from './Opener';
import { Empty, FormError } from './States';

interface Props extends Opened {
  /** the job's name, when it is chosen already */
  job?: string;
  given?: Argument[];
}

const store = (job: string) => `stalker.arguments/${job}`;

export function remembered(job: string, given: Argument[]): Record<string, string> {
  const was = JSON.parse(localStorage.getItem(store(job)) ?? '{}') as Record<string, string>;
  return { ...was, ...Object.fromEntries(given.map((a) => [a.name, textOf(a.value)])) };
}

/** LaunchDialog runs a job once, with what its parameters ask for. What was given last is remembered here, but for secrets. */
export default function LaunchDialog({ opened, onClose, job: fixed = '', given = [] }: Props) {
  const [filter] = useProject();
  const jobs = useJobs().data?.items ?? [];
  const projects = useProjects().data ?? [];
  const [project, setProject] = useState(filter || (projects.length === 1 ? (projects[0]?.id ?? '') : ''));
  const [name, setName] = useState(fixed);
  const [values, setValues] = useState(() => remembered(fixed, given));
  const launch = useLaunch();
  const navigate = useNavigate();
  const job = jobs.find((j) => j.name === name);
  const parameters = job?.parameters ?? [];
  const choose = (next: string | null) => {
    setName(next ?? '');
    setValues(remembered(next ?? '', []));
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const open = parameters.filter((p) => !p.secret).map((p) => p.name);
    localStorage.setItem(store(name), JSON.stringify(Object.fromEntries(Object.entries(values).filter(([k]) => open.includes(k)))));
    const args = parameters.map((p) => argumentOf(p, values[p.name] ?? '')).filter((a) => a !== undefined);
    launch.mutate({ job: name, projectId: project, arguments: args }, { onSuccess: (x) => (onClose(), void navigate(`/executions/${x.id}`)) });
  };
  return (
    <Modal opened={opened} onClose={onClose} title={fixed ? t.launch.titleOf(fixed) : t.launch.title} size="lg">
      {projects.length === 0 ? <Empty title={t.projects.empty} /> : (
        <form onSubmit={submit}>
          <Stack gap="sm">
            {!fixed && <Select label={t.execution.job} required searchable allowDeselect={false} data={jobs.map((j) => j.name)} value={name || null} onChange={choose} data-autofocus />}
            <Select label={t.resource.project} description={t.launch.projectHint} required searchable allowDeselect={false} data={projects.map((p) => ({ value: p.id, label: p.name }))} value={project || null} onChange={(v) => setProject(v ?? '')} />
            {parameters.map((p) => <Field key={p.name} parameter={p} value={values[p.name] ?? ''} onChange={(v) => setValues((was) => ({ ...was, [p.name]: v }))} />)}
            {job && parameters.length === 0 && <Text size="sm" className="faint">{t.launch.none}</Text>}
            <FormError error={launch.error} />
            <Group justify="flex-end"><Button type="submit" disabled={!job || !project} loading={launch.isPending}>{t.launch.submit}</Button></Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

interface FieldProps {
  parameter: Parameter;
  value: string;
  onChange: (v: string) => void;
  /** it is taken from the resource when it is left empty */
  filled?: boolean;
}

/** Field asks for the value of one parameter. */
export function Field({ parameter: p, value, onChange, filled = false }: FieldProps) {
  if (p.type === 'boolean') {
    const on = value === '' ? p.default === true : value === 'true';
    return <Checkbox label={p.name} description={p.summary} checked={on} onChange={(e) => onChange(String(e.currentTarget.checked))} />;
  }
  const common: TextInputProps = {
    label: p.name, value, onChange: (e) => onChange(e.currentTarget.value), spellCheck: false, autoComplete: 'off', classNames: { input: 'mono' },
    required: p.required && !filled && (p.default === undefined || p.default === null),
    placeholder: filled ? t.launch.filled : p.default === undefined || p.default === null ? undefined : textOf(p.default),
    description: [p.summary, p.type.endsWith('[]') && t.launch.list, p.secret && t.launch.secret].filter(Boolean).join(' '),
  };
  return <TextInput {...common} inputMode={p.type === 'number' ? 'decimal' : undefined} />;
}

import { Button, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '~/api/client';
import { useSaveJob, type JobInput } from '~/api/automation';
import { useMay } from '~/api/may';
import type { Job, Parameter } from '~/api/types';
import detail from '~/components/Detail.module.css';
import { kept } from '~/components/Origin';
import { Panel } from '~/components/Panel';
import { FormError } from '~/components/States';
import { useUnsaved } from '~/components/useUnsaved';
import { CodeEditor } from '~/editor';
import { lines } from '~/lib/lines';
import { pythonSkeleton } from '~/lib/skeleton';
import { t } from '~/text';
import { JobSize } from './JobSize';
import { inputOf, JobTemplate } from './JobTemplate';
import { ParametersEditor } from './ParametersEditor';
import { ReadOnly } from './SubscriptionEditing';

const empty: JobInput = { name: '', type: 'code', language: 'python', code: pythonSkeleton, parameters: [] };
const types = ['code', 'nuclei', 'container'] as const;

/** JobForm writes a job, or changes the one it is given. */
export function JobForm({ job, onSaved }: { job?: Job; onSaved: (job: Job) => void }) {
  const [draft, setDraft] = useState<JobInput>(() => (job ? inputOf(job) : empty));
  const [begun, setBegun] = useState(draft);
  const [changed, setChanged] = useState(false);
  const save = useSaveJob();
  const may = useMay();
  const readOnly = (job !== undefined && kept(job)) || !may(`automation:custom-jobs:${job ? 'update' : 'create'}`);
  const release = useUnsaved(changed);
  const set = (part: Partial<JobInput>) => {
    setDraft((d) => ({ ...d, ...part }));
    setChanged(true);
  };
  const begin = (from: JobInput) => {
    setBegun(from);
    set({ ...empty, ...from, name: draft.name });
  };
  const send = () => save.mutate({ id: job?.id, job: draft }, {
    onSuccess: (j) => {
      setChanged(false);
      release();
      onSaved(j);
    },
  });
  const problems = save.error instanceof ApiError ? save.error.errors : [];
  const at = (path: string) => problems.find((p) => p.path === path)?.message;
  const text = (name: 'name' | 'summary' | 'category' | 'deadline' | 'image') => ({
    label: t.job[name], value: draft[name] ?? '', readOnly, error: at(name),
    onChange: (e: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => set({ [name]: e.currentTarget.value }),
  });
  const container = draft.type === 'container';
  const shown = ['name', 'summary', 'category', 'deadline', 'image', 'code', 'handler', 'command', 'podSize'];
  const others = problems.filter((p) => !shown.includes(p.path ?? ''));
  const saveButton = !readOnly && <Button size="compact-sm" loading={save.isPending} disabled={!changed} onClick={send}>{t.actions.save}</Button>;
  return (
    <div className={detail.columns}>
      <div className={detail.main}>
        {job && kept(job) && <ReadOnly text={job.builtIn ? t.job.readOnly : t.sources.readOnly(job.sourceFile ?? '')} />}
        {container ? (
          <Panel title={t.job.image} actions={saveButton}>
            <Stack gap="sm">
              <TextInput {...text('image')} classNames={{ input: 'mono' }} placeholder="registry.example/scanner:1" />
              <Textarea label={t.job.command} description={t.job.commandHint} autosize minRows={2} readOnly={readOnly} classNames={{ input: 'mono' }} value={(draft.command ?? []).join('\n')} onChange={(e) => set({ command: lines(e.currentTarget.value) })} />
            </Stack>
          </Panel>
        ) : (
          <Panel title={draft.type === 'nuclei' ? t.job.template : t.job.code} note={at('code')} actions={saveButton} flush>
            <CodeEditor language={draft.type === 'nuclei' ? 'yaml' : 'python'} label={t.job.code} value={draft.code ?? ''} onChange={readOnly ? undefined : (code) => set({ code })} onSave={() => changed && send()} minHeight="420px" />
          </Panel>
        )}
        {draft.type === 'nuclei' && (
          <Panel title={t.job.handler} note={t.job.handlerHint} flush>
            <CodeEditor language="python" label={t.job.handler} value={draft.handler ?? ''} onChange={readOnly ? undefined : (handler) => set({ handler })} onSave={() => changed && send()} />
          </Panel>
        )}
        <Panel title={t.job.parameters}>
          <ParametersEditor value={(draft.parameters ?? []) as Parameter[]} readOnly={readOnly} onChange={(parameters) => set({ parameters })} />
        </Panel>
      </div>
      <aside className={detail.side}>
        <Panel title={t.resource.details}>
          <Stack gap="sm">
            {!readOnly && !job && <JobTemplate draft={draft} begun={begun} onPick={begin} />}
            <TextInput {...text('name')} required />
            <Textarea {...text('summary')} autosize minRows={2} />
            <TextInput {...text('category')} />
            <Select label={t.job.type} data={types.map((v) => ({ value: v, label: t.job.types[v] }))} value={draft.type ?? 'code'} readOnly={readOnly || job !== undefined} allowDeselect={false} onChange={(v) => set(kind(v))} />
            <TextInput {...text('deadline')} description={t.job.deadlineHint} placeholder="30m" />
            <JobSize value={draft.podSize ?? ''} readOnly={readOnly} error={at('podSize')} onChange={(podSize) => set({ podSize })} />
            {save.error && (others.length > 0 || problems.length === 0) && <FormError error={others.length > 0 ? new Error(others.map((p) => `${p.path}: ${p.message}`).join('; ')) : save.error} />}
            {!readOnly && !job && <Button loading={save.isPending} onClick={send}>{t.job.create}</Button>}
          </Stack>
        </Panel>
      </aside>
    </div>
  );
}

/** kind is what changes with the type of a job. */
function kind(type: string | null): Partial<JobInput> {
  if (type === 'nuclei') return { type, language: 'yaml', code: '' };
  if (type === 'container') return { type, language: '', code: '' };
  return { type: 'code', language: 'python', code: pythonSkeleton };
}

import { Select } from '@mantine/core';
import type { JobInput } from '~/api/automation';
import { useJobTemplates } from '~/api/queries';
import type { Job } from '~/api/types';
import { t } from '~/text';

/** JobTemplate chooses what a new job begins with, until something of it was written. */
export function JobTemplate({ draft, begun, onPick }: { draft: JobInput; begun: JobInput; onPick: (from: JobInput) => void }) {
  const templates = useJobTemplates().data?.items ?? [];
  const written = (['code', 'handler', 'command', 'image', 'parameters'] as const).some((k) => JSON.stringify(draft[k] ?? '') !== JSON.stringify(begun[k] ?? ''));
  const pick = (id: string | null) => {
    const template = templates.find((x) => x.id === id);
    if (template) onPick(inputOf(template));
  };
  return (
    <Select
      label={t.job.begin} description={written ? t.job.begunHint : t.job.beginHint} disabled={written || templates.length === 0} searchable
      data={templates.map((x) => ({ value: x.id, label: x.summary ? `${x.name}: ${x.summary}` : x.name }))} onChange={pick}
    />
  );
}

/** inputOf is what a person could have written of a job. */
export function inputOf(job: Job): JobInput {
  const { id: _id, builtIn: _b, sourceId: _s, sourceFile: _f, version: _v, updatedAt: _u, ...input } = job;
  return input;
}

import { Select } from '@mantine/core';
import { usePodSizes } from '~/api/queries';
import type { PodSize } from '~/api/types';
import { t } from '~/text';

interface Props {
  value: string;
  readOnly: boolean;
  error?: string;
  onChange: (size: string) => void;
}

/** JobSize chooses one of the pod sizes there are. One that is gone stays, and is shown as it is. */
export function JobSize({ value, readOnly, error, onChange }: Props) {
  const sizes = usePodSizes().data?.items ?? [];
  const data = sizes.map((s) => ({ value: s.name, label: describe(s) }));
  if (value && !sizes.some((s) => s.name === value)) data.push({ value, label: value });
  return <Select label={t.job.podSize} description={t.job.podSizeHint} data={data} value={value || null} clearable readOnly={readOnly} error={error} onChange={(v) => onChange(v ?? '')} />;
}

const describe = (s: PodSize) => t.job.size(s.name, s.milliCpu / 1000, s.memoryMiB % 1024 === 0 ? `${s.memoryMiB / 1024} GiB` : `${s.memoryMiB} MiB`);

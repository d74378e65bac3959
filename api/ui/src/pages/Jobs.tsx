import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useMay } from '~/api/may';
import { useJobs } from '~/api/queries';
import type { Job } from '~/api/types';
import { DefinitionList } from '~/components/DefinitionList';
import { Origin } from '~/components/Origin';
import type { Column } from '~/components/table';
import { t } from '~/text';

const to = (j: Job) => `/jobs/${j.id}`;

const columns: Column<Job>[] = [
  { id: 'name', label: t.job.name, width: 240, grow: 1, narrow: 'first', cell: (j) => <Link className="link" to={to(j)}>{j.name}</Link> },
  { id: 'summary', label: t.job.summary, width: 300, grow: 2.5, narrow: 'second', cell: (j) => <span className="faint">{j.summary}</span> },
  { id: 'category', label: t.job.category, width: 140, grow: 0.5, cell: (j) => j.category ?? '' },
  { id: 'origin', label: '', width: 90, cell: (j) => <Origin of={j} /> },
];

function NewButton() {
  const may = useMay();
  if (!may('automation:custom-jobs:create')) return null;
  return <Button component={Link} to="/jobs/new" leftSection={<IconPlus size={14} />}>{t.job.create}</Button>;
}

export default function Jobs() {
  return <DefinitionList noun={t.nouns.job} list={useJobs()} columns={columns} to={to} search={t.job.search} textOf={(j) => `${j.name} ${j.summary ?? ''} ${j.category ?? ''}`} empty={t.job.empty} actions={<NewButton />} />;
}

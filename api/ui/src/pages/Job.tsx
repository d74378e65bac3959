import { Button } from '@mantine/core';
import { Link, useNavigate, useParams } from 'react-router';
import { useDelete, useDuplicate, useMakeTemplate } from '~/api/automation';
import { useMay } from '~/api/may';
import { useOne } from '~/api/queries';
import type { Job as JobView } from '~/api/types';
import { notify } from '~/app/notify';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import { kept, Origin } from '~/components/Origin';
import { PageHead } from '~/components/PageHead';
import { RevertButton } from '~/components/RevertButton';
import { RunJob } from '~/components/RunJob';
import { Loading, Problem } from '~/components/States';
import { t } from '~/text';
import { JobForm } from './JobForm';
import { inputOf } from './JobTemplate';

export default function Job() {
  const { id = '' } = useParams();
  const one = useOne<JobView>('/jobs', id);
  if (one.isPending) return <Loading />;
  if (one.error) return <Problem error={one.error} retry={() => void one.refetch()} />;
  const job = one.data;
  return (
    <>
      <PageHead title={job.name} up={{ to: '/jobs', label: t.nouns.job.title }} note={<Origin of={job} />}>
        <Actions job={job} />
        <RunJob job={job.name} />
      </PageHead>
      <JobForm key={`${job.id}/${job.version}`} job={job} onSaved={() => void notify({ message: t.actions.saved })} />
    </>
  );
}

function Actions({ job }: { job: JobView }) {
  const may = useMay();
  const navigate = useNavigate();
  const duplicate = useDuplicate<JobView>('/jobs');
  const template = useMakeTemplate();
  const remove = useDelete('/jobs');
  const failed = (e: Error) => void notify({ color: 'red', title: t.marks.failed, message: e.message });
  const copy = () => duplicate.mutate(job.id, {
    onSuccess: (made) => void navigate(`/jobs/${made.id}`),
    onError: failed,
  });
  const make = () => template.mutate(inputOf(job), {
    onSuccess: (made) => void notify({ message: t.job.templateMade(made.name) }),
    onError: failed,
  });
  return (
    <>
      {may('automation:subscriptions:create') && <Button variant="default" component={Link} to={`/subscriptions/new?job=${encodeURIComponent(job.name)}`}>{t.job.subscribe}</Button>}
      {may('automation:custom-jobs:create') && <Button variant="default" loading={duplicate.isPending} onClick={copy}>{t.subscription.duplicate}</Button>}
      {may('automation:job-templates:create') && <Button variant="default" loading={template.isPending} onClick={make}>{t.job.makeTemplate}</Button>}
      {job.originId && may('automation:custom-jobs:update') && <RevertButton path="/jobs" id={job.id} />}
      {!kept(job) && may('automation:custom-jobs:delete') && (
        <ConfirmDelete
          title={t.job.remove} text={t.job.removeText} word={job.name} busy={remove.isPending} error={remove.error}
          onConfirm={() => remove.mutate(job.id, { onSuccess: () => void navigate('/jobs') })}
        />
      )}
    </>
  );
}

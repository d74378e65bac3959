import { useNavigate } from 'react-router';
import { PageHead } from '~/components/PageHead';
import { t } from '~/text';
import { JobForm } from './JobForm';

export default function NewJob() {
  const navigate = useNavigate();
  return (
    <>
      <PageHead title={t.job.create} up={{ to: '/jobs', label: t.nouns.job.title }} />
      <JobForm onSaved={(job) => void navigate(`/jobs/${job.id}`)} />
    </>
  );
}

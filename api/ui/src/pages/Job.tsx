import { useParams } from 'react-router';
import { useJobs } from '~/api/queries';
import type { Parameter } from '~/api/types';
import { Code } from '~/components/Code';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Loading, Problem } from '~/components/States';
import { NotFound } from '~/app/NotFound';
import { t } from '~/text';

export default function Job() {
  const { id } = useParams();
  const jobs = useJobs();
  if (jobs.isPending) return <Loading />;
  if (jobs.error) return <Problem error={jobs.error} retry={() => void jobs.refetch()} />;
  const job = jobs.data.items.find((j) => j.id === id);
  if (!job) return <NotFound />;
  return (
    <>
      <PageHead title={job.name} up={{ to: '/jobs', label: t.nouns.job.title }} note={job.builtIn && t.job.builtIn} />
      <div className={detail.columns}>
        <div className={detail.main}>
          <Panel title={t.job.code} flush><Code text={job.code} /></Panel>
        </div>
        <aside className={detail.side}>
          <Panel title={t.resource.details}>
            <Facts facts={[
              job.summary && [t.job.summary, job.summary],
              [t.job.type, job.type],
              job.language && [t.job.language, job.language],
              job.category && [t.job.category, job.category],
            ]} />
          </Panel>
          {job.parameters && job.parameters.length > 0 && (
            <Panel title={t.job.parameters}>
              <Facts facts={job.parameters.map((p) => [p.name, <About key={p.name} parameter={p} />])} />
            </Panel>
          )}
        </aside>
      </div>
    </>
  );
}

function About({ parameter: p }: { parameter: Parameter }) {
  return (
    <>
      <span className="mono">{p.type}</span>
      {p.default !== undefined && p.default !== null && <span className="faint">, {t.job.default} <span className="mono">{JSON.stringify(p.default)}</span></span>}
      {p.summary && <div className="faint">{p.summary}</div>}
    </>
  );
}

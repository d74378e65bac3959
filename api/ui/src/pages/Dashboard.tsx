import { Stack, Text, Title } from '@mantine/core';
import { useCounts, useProjects } from '~/api/queries';
import { useProject } from '~/app/project';
import { PageHead } from '~/components/PageHead';
import { Loading, Problem } from '~/components/States';
import { t } from '~/text';
import { AddTargets } from './AddTargets';
import classes from './Dashboard.module.css';
import { CreateProject } from './CreateProject';
import { Certificates, FailingJobs, Recently } from './dashboard/News';
import { Top } from './dashboard/Top';
import { Totals } from './dashboard/Totals';
import { Failed, LatestFindings, Running } from './dashboard/Work';

export default function Dashboard() {
  const [project] = useProject();
  const projects = useProjects();
  const counts = useCounts(project);
  if (projects.isPending || counts.isPending) return <Loading />;
  if (counts.error && !counts.data) return <Problem error={counts.error} retry={() => void counts.refetch()} />;
  const c = counts.data;
  const name = projects.data?.find((p) => p.id === project)?.name;
  if (projects.data?.length === 0) return <Start title={t.dashboard.welcome} text={t.dashboard.welcomeText} action={<><CreateProject label={t.projects.createFirst} /><Demo /></>} />;
  return (
    <>
      <PageHead title={name ?? t.dashboard.title}><AddTargets project={project || undefined} /></PageHead>
      <div className={classes.page}>
        <Totals counts={c} />
        {c.domains + c.hosts + c.ipRanges === 0 && (
          <div className={classes.hint}>
            <div>
              <Title order={2}>{t.dashboard.addFirst}</Title>
              <Text size="sm" className="faint">{t.dashboard.addFirstText}</Text>
            </div>
            <AddTargets project={project || undefined} first />
            <Demo />
          </div>
        )}
        <div className={classes.panels}>
          <Running counts={c} project={project} />
          <Certificates project={project} />
          <Failed counts={c} project={project} />
          <FailingJobs project={project} />
          <Top path="/websites" field="technology" title={t.dashboard.technologies} />
          <Top path="/ports" field="port.service" title={t.dashboard.services} />
          <Recently project={project} />
          <LatestFindings project={project} />
        </div>
      </div>
    </>
  );
}

/** Demo says how to see the product at work without targets of one's own. */
function Demo() {
  return (
    <Text size="sm" className={`faint ${classes.demo}`} component="div">
      {t.dashboard.demo} <code className="mono">stalker demo --hold</code>
      <span>{t.dashboard.demoText}</span>
    </Text>
  );
}

function Start({ title, text, action }: { title: string; text: string; action: React.ReactNode }) {
  return (
    <Stack align="center" justify="center" gap="sm" mih="60vh" p="md" ta="center">
      <Title order={1}>{title}</Title>
      <Text className="faint" maw={460}>{text}</Text>
      {action}
    </Stack>
  );
}

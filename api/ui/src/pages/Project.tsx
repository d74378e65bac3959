import { Button, Stack, Text } from '@mantine/core';
import { useNavigate, useParams } from 'react-router';
import { useDeleteProject, useProjects } from '~/api/queries';
import type { Project as ProjectView } from '~/api/types';
import { NotFound } from '~/app/NotFound';
import { notify } from '~/app/notify';
import { useProject } from '~/app/project';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import detail from '~/components/Detail.module.css';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Loading, Problem } from '~/components/States';
import { t } from '~/text';
import { AddTargets } from './AddTargets';
import { Members } from './Members';
import { ProjectForm } from './ProjectForm';

export default function Project() {
  const { id } = useParams();
  const projects = useProjects();
  const [, focus] = useProject();
  if (projects.isPending) return <Loading />;
  if (projects.error) return <Problem error={projects.error} retry={() => void projects.refetch()} />;
  const p = projects.data.find((x) => x.id === id);
  if (!p) return <NotFound />;
  return (
    <>
      <PageHead title={p.name} up={{ to: '/projects', label: t.projects.title }}>
        <Button variant="default" onClick={() => focus(p.id)}>{t.projects.focus}</Button>
        <AddTargets project={p.id} />
      </PageHead>
      <div className={detail.columns}>
        <div className={detail.main}>
          <Panel title={t.projects.settings}>
            <ProjectForm key={`${p.id}/${p.version}`} project={p} onSaved={() => void notify({ message: t.actions.saved })} />
          </Panel>
          <Members project={p.id} />
        </div>
        <aside className={detail.side}><Danger project={p} /></aside>
      </div>
    </>
  );
}

function Danger({ project: p }: { project: ProjectView }) {
  const remove = useDeleteProject();
  const navigate = useNavigate();
  const [, focus] = useProject();
  const confirm = () =>
    remove.mutate(p.id, {
      onSuccess: () => {
        focus('');
        void notify({ message: t.projects.deleted });
        void navigate('/projects');
      },
    });
  return (
    <Panel title={t.projects.danger}>
      <Stack gap="sm" align="flex-start">
        <Text size="sm" className="faint">{t.projects.dangerText}</Text>
        <ConfirmDelete title={t.projects.danger} text={t.projects.dangerText} word={p.name} onConfirm={confirm} busy={remove.isPending} error={remove.error} />
      </Stack>
    </Panel>
  );
}

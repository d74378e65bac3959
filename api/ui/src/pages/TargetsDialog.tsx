import { Modal } from '@mantine/core';
import { useProjects } from '~/api/queries';
import { useProject } from '~/app/project';
import type { Opened } from '~/components/Opener';
import { Empty } from '~/components/States';
import { t } from '~/text';
import { TargetsForm } from './TargetsForm';

export default function TargetsDialog({ opened, onClose, project }: Opened & { project?: string }) {
  const [filter] = useProject();
  const projects = useProjects().data ?? [];
  const fixed = projects.find((p) => p.id === project);
  const chosen = project ?? (filter || (projects.length === 1 ? projects[0]?.id : undefined));
  return (
    <Modal opened={opened} onClose={onClose} size="lg" title={fixed ? t.targets.title(fixed.name) : t.targets.add}>
      {projects.length === 0 ? <Empty title={t.projects.empty}>{t.targets.noProject}</Empty> : (
        <TargetsForm projects={projects} project={chosen} fixed={fixed !== undefined} onDone={onClose} />
      )}
    </Modal>
  );
}

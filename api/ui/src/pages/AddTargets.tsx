import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useProjects } from '~/api/queries';
import { useProject } from '~/app/project';
import { Empty } from '~/components/States';
import { t } from '~/text';
import { TargetsForm } from './TargetsForm';

/** AddTargets is the button that opens the form, for one project or for the one chosen there. */
export function AddTargets({ project }: { project?: string }) {
  const [open, { open: show, close }] = useDisclosure();
  const [filter] = useProject();
  const projects = useProjects().data ?? [];
  const fixed = projects.find((p) => p.id === project);
  return (
    <>
      <Button leftSection={<IconPlus size={14} />} onClick={show}>{t.targets.add}</Button>
      <Modal opened={open} onClose={close} size="lg" title={fixed ? t.targets.title(fixed.name) : t.targets.add}>
        {projects.length === 0 ? <Empty title={t.projects.empty}>{t.targets.noProject}</Empty> : (
          <TargetsForm projects={projects} project={project ?? (filter || (projects.length === 1 ? projects[0]?.id : undefined))} fixed={fixed !== undefined} onDone={close} />
        )}
      </Modal>
    </>
  );
}

import { Modal, SegmentedControl, Stack } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '~/api/may';
import { useProjects } from '~/api/queries';
import { useProject } from '~/app/project';
import type { Opened } from '~/components/Opener';
import { Empty } from '~/components/States';
import { t } from '~/text';
import { CreateProject } from './CreateProject';
import { ImportForm } from './ImportForm';
import { TargetsForm } from './TargetsForm';

/** TargetsDialog takes targets by name, or what other tools found. */
export default function TargetsDialog({ opened, onClose, project }: Opened & { project?: string }) {
  const [filter] = useProject();
  const [way, setWay] = useState('paste');
  const may = useMay();
  const projects = useProjects().data ?? [];
  const fixed = projects.find((p) => p.id === project);
  const chosen = project ?? (filter || (projects.length === 1 ? projects[0]?.id : undefined));
  const Form = way === 'import' ? ImportForm : TargetsForm;
  return (
    <Modal opened={opened} onClose={onClose} size="lg" title={fixed ? t.targets.title(fixed.name) : t.targets.add}>
      {projects.length === 0 ? <Empty title={t.projects.empty}><>{t.targets.noProject}<CreateProject label={t.projects.createFirst} /></></Empty> : (
        <Stack gap="md">
          {may('data:findings:create', project) && (
            <SegmentedControl fullWidth size="xs" aria-label={t.targets.way} value={way} onChange={setWay} data={[{ value: 'paste', label: t.targets.byName }, { value: 'import', label: t.targets.byImport }]} />
          )}
          <Form projects={projects} project={chosen} fixed={fixed !== undefined} onDone={onClose} />
        </Stack>
      )}
    </Modal>
  );
}

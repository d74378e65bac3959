import { Modal } from '@mantine/core';
import { useNavigate } from 'react-router';
import type { Project } from '~/api/types';
import type { Opened } from '~/components/Opener';
import { t } from '~/text';
import { ProjectForm } from './ProjectForm';

export default function ProjectDialog({ opened, onClose }: Opened) {
  const navigate = useNavigate();
  const done = (p: Project) => {
    onClose();
    void navigate(`/?project=${p.id}`);
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t.projects.create} size="lg">
      <ProjectForm onSaved={done} />
    </Modal>
  );
}

import { Modal } from '@mantine/core';
import { useNavigate } from 'react-router';
import { useSaveSource } from '~/api/sources';
import type { Opened } from '~/components/Opener';
import { t } from '~/text';
import { SourceForm } from './SourceForm';

/** SourceDialog adds a git repository and goes to what was read from it. */
export default function SourceDialog({ opened, onClose }: Opened) {
  const save = useSaveSource();
  const navigate = useNavigate();
  return (
    <Modal opened={opened} onClose={onClose} title={t.sources.create} size="lg">
      <SourceForm
        submit={t.sources.create} busy={save.isPending} error={save.error}
        onSubmit={(source) => save.mutate({ source }, { onSuccess: (s) => (onClose(), void navigate(`/sources/${s.id}`)) })}
      />
    </Modal>
  );
}

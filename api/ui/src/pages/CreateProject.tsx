import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { later } from '~/app/later';
import { Opener } from '~/components/Opener';
import { t } from '~/text';

const Dialog = later(() => import('./ProjectDialog'));

/** CreateProject asks for a project and then limits the page to it. */
export function CreateProject({ label = t.projects.create }: { label?: string }) {
  return (
    <Opener button={(open) => <Button leftSection={<IconPlus size={14} />} onClick={open}>{label}</Button>}>
      {(state) => <Dialog {...state} />}
    </Opener>
  );
}

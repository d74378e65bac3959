import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Opener } from '~/components/Opener';
import { later } from '~/app/later';
import { t } from '~/text';

const Dialog = later(() => import('./TargetsDialog'));

/** AddTargets is the button that opens the form, for one project or for the one chosen there. */
export function AddTargets({ project }: { project?: string }) {
  return (
    <Opener button={(open) => <Button leftSection={<IconPlus size={14} />} onClick={open}>{t.targets.add}</Button>}>
      {(state) => <Dialog {...state} project={project} />}
    </Opener>
  );
}

import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Opener } from '~/components/Opener';
import { later } from '~/app/later';
import { t } from '~/text';

const Dialog = later(() => import('./TargetsDialog'));

interface Props {
  project?: string;
  /** it stands where nothing is yet */
  first?: boolean;
}

/** AddTargets is the button that opens the form, for one project or for the one chosen there. */
export function AddTargets({ project, first = false }: Props) {
  return (
    <Opener button={(open) => <Button leftSection={<IconPlus size={14} />} onClick={open}>{first ? t.targets.addFirst : t.targets.add}</Button>}>
      {(state) => <Dialog {...state} project={project} />}
    </Opener>
  );
}

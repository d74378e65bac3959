import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMay } from '~/api/may';
import { later } from '~/app/later';
import { t } from '~/text';
import { Opener } from './Opener';

const Dialog = later(() => import('./LaunchDialog'));

/** RunJob is the button that runs a job once: the given one, or one that is chosen then. */
export function RunJob({ job }: { job?: string }) {
  const may = useMay();
  if (!may('automation:job-executions:create')) return null;
  return (
    <Opener button={(open) => <Button leftSection={<IconPlayerPlay size={14} />} onClick={open}>{job ? t.launch.run : t.launch.title}</Button>}>
      {(state) => <Dialog {...state} job={job} />}
    </Opener>
  );
}

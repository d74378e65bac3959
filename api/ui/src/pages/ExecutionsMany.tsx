import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useMany } from '~/api/launch';
import { useMay } from '~/api/may';
import { notify } from '~/app/notify';
import { FormError } from '~/components/States';
import { count } from '~/lib/number';
import { t } from '~/text';

interface Props {
  q: string;
  project: string;
  /** how many have not ended, and how many ended badly */
  open: number;
  failed: number;
}

/** Many stops or repeats everything the list shows, when there is anything to stop or repeat. */
export function Many({ q, project, open, failed }: Props) {
  const [verb, setVerb] = useState<'stop' | 'retry'>();
  const may = useMay();
  const send = useMany();
  const confirm = () => verb && send.mutate({ verb, q, project }, {
    onSuccess: () => {
      setVerb(undefined);
      void notify({ message: t.launch.sent });
    },
  });
  const title = verb === 'stop' ? t.launch.stopMany : t.launch.retryMany;
  return (
    <>
      {open > 0 && may('automation:job-executions:update', project) && <Button variant="default" onClick={() => setVerb('stop')}>{t.launch.stopMany}</Button>}
      {failed > 0 && may('automation:job-executions:create', project) && <Button variant="default" onClick={() => setVerb('retry')}>{t.launch.retryMany}</Button>}
      <Modal opened={verb !== undefined} onClose={() => setVerb(undefined)} title={title}>
        <Stack gap="md">
          <Text size="sm">{verb === 'stop' ? t.launch.stopManyText(count(open)) : t.launch.retryManyText}</Text>
          <FormError error={send.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setVerb(undefined)}>{t.actions.cancel}</Button>
            <Button loading={send.isPending} color={verb === 'stop' ? 'red' : undefined} onClick={confirm}>{title}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

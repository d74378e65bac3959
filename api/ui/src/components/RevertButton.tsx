import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useRevert } from '~/api/automation';
import type { Job, Subscription } from '~/api/types';
import { notify } from '~/app/notify';
import { t } from '~/text';
import { FormError } from './States';

interface Props {
  path: '/jobs' | '/subscriptions';
  id: string;
  onReverted?: (made: Job | Subscription) => void;
}

/** RevertButton makes a copy what its original is now. */
export function RevertButton({ path, id, onReverted }: Props) {
  const [open, { open: show, close }] = useDisclosure();
  const revert = useRevert<Job | Subscription>(path);
  const send = () => revert.mutate(id, {
    onSuccess: (made) => {
      onReverted?.(made);
      close();
      void notify({ message: t.subscription.reverted });
    },
  });
  return (
    <>
      <Button variant="default" onClick={show}>{t.subscription.revert}</Button>
      <Modal opened={open} onClose={close} title={t.subscription.revertTitle}>
        <Stack gap="md">
          <Text size="sm">{t.subscription.revertText}</Text>
          <FormError error={revert.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t.actions.cancel}</Button>
            <Button loading={revert.isPending} onClick={send}>{t.subscription.revert}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { t } from '~/text';
import { FormError } from './States';

interface Props {
  title: string;
  text: string;
  /** what has to be typed, so that nobody does it by accident */
  word: string;
  onConfirm: () => void;
  busy: boolean;
  error: Error | null;
}

export function ConfirmDelete({ title, text, word, onConfirm, busy, error }: Props) {
  const [open, { open: show, close }] = useDisclosure();
  const [typed, setTyped] = useState('');
  return (
    <>
      <Button variant="default" c="var(--bad)" onClick={show}>{t.actions.delete}</Button>
      <Modal opened={open} onClose={close} title={title}>
        <Stack gap="md">
          <Text size="sm">{text}</Text>
          <TextInput label={t.projects.confirm(word)} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} data-autofocus autoComplete="off" />
          <FormError error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t.actions.cancel}</Button>
            <Button color="red" disabled={typed !== word} loading={busy} onClick={onConfirm}>{t.actions.delete}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

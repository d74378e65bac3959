import { Button, Group } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { hide, notify } from '~/app/notify';
import { t } from '~/text';

/** useSayDone says that something was done, and offers to take it back while it can be. */
export function useSayDone() {
  const client = useQueryClient();
  return (done: string, visible: boolean, undo?: () => Promise<unknown>) => {
    const id = `done-${Date.now()}`;
    const back = () => {
      void hide(id);
      undo?.().then(
        () => notify({ message: t.marks.undone }),
        (e: Error) => notify({ color: 'red', title: t.marks.failed, message: e.message }),
      ).finally(() => client.invalidateQueries());
    };
    const message = (
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <span>{done}{!visible && ` ${t.marks.soon}`}</span>
        {undo && <Button size="compact-sm" variant="light" onClick={back}>{t.marks.undo}</Button>}
      </Group>
    );
    void notify({ id, message, autoClose: undo ? 12_000 : 4000 });
  };
}

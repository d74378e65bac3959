import { Button, Stack, Text, Title } from '@mantine/core';
import { useRouteError } from 'react-router';
import { t } from '~/text';

/** Fallback is shown in place of a page that failed; the rest of the frame keeps working. */
export function Fallback() {
  const err = useRouteError();
  return (
    <Stack align="center" justify="center" gap="sm" mih="50vh" p="md" role="alert">
      <Title order={1}>{t.errors.page}</Title>
      <Text c="dimmed" ta="center">{err instanceof Error ? err.message : t.errors.unknown}</Text>
      <Button onClick={() => window.location.reload()}>{t.errors.reload}</Button>
    </Stack>
  );
}

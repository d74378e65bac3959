// What stands where content would: while it loads, when there is none, when it failed.
import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { t } from '~/text';

export function Loading({ full = false }: { full?: boolean }) {
  return (
    <Center p="xl" h={full ? '100dvh' : undefined} role="status" aria-label={t.states.loading}>
      <Loader size="sm" />
    </Center>
  );
}

/** Empty says that there is nothing, why, and what to do about it. */
export function Empty({ title, children, next }: { title: string; children?: ReactNode; next?: ReactNode }) {
  return (
    <Stack align="center" justify="center" gap={6} px="md" py={48} ta="center">
      <Text fw={550}>{title}</Text>
      {typeof children === 'string' ? <Text size="sm" className="faint" maw={420}>{children}</Text> : children}
      {next && <div style={{ marginTop: 8 }}>{next}</div>}
    </Stack>
  );
}

export function Problem({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <Stack align="center" justify="center" gap="xs" px="md" py={48} ta="center" role="alert">
      <Text fw={550}>{t.errors.load}</Text>
      <Text size="sm" className="faint" maw={560}>{error.message}</Text>
      {retry && <Button variant="default" onClick={retry}>{t.errors.retry}</Button>}
    </Stack>
  );
}

/** FormError says in a form why the server refused it. */
export function FormError({ error }: { error: Error | null }) {
  return error && <Text size="sm" c="var(--bad)" role="alert" style={{ overflowWrap: 'anywhere' }}>{error.message}</Text>;
}

import { Center, Paper, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Mark } from '~/app/Brand';
import { t } from '~/text';

/** AuthFrame is the page before anybody is logged in. */
export function AuthFrame({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  useDocumentTitle(`${title} · ${t.product}`);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={400} radius="md" bg="var(--surface)" style={{ borderColor: 'var(--line)' }}>
        <Stack gap="md">
          <Stack gap={6}>
            <Mark size={36} />
            <Title order={1} mt="xs">{title}</Title>
            {text && <Text size="sm" className="faint">{text}</Text>}
          </Stack>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}

import { Alert, Group, Text } from '@mantine/core';
import { CopyButton } from './CopyButton';

/** ShownOnce is something secret that cannot be shown again. */
export function ShownOnce({ title, text, value }: { title: string; text: string; value: string }) {
  return (
    <Alert variant="light" title={title}>
      <Text size="sm" mb="xs">{text}</Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>{value}</span>
        <CopyButton value={value} />
      </Group>
    </Alert>
  );
}

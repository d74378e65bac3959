import { Button, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import { t } from '~/text';

export function NotFound() {
  return (
    <Stack align="center" justify="center" gap="sm" mih="50vh" p="md">
      <Title order={1}>{t.notFound.title}</Title>
      <Text c="dimmed">{t.notFound.text}</Text>
      <Button component={Link} to="/">{t.notFound.home}</Button>
    </Stack>
  );
}

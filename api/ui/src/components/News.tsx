import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { count } from '~/lib/number';
import { t } from '~/text';

/** News offers what came in since the list was read, without touching the list. */
export function News({ n, reload }: { n: number; reload: () => void }) {
  if (n === 0) return null;
  return (
    <Button variant="light" size="compact-sm" leftSection={<IconRefresh size={14} />} onClick={reload}>
      {n > 0 ? t.list.news(count(n)) : t.list.changed}
    </Button>
  );
}

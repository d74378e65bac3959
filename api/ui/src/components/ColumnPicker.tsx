import { ActionIcon, Checkbox, Popover, Stack, Tooltip } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { t } from '~/text';
import type { Columns } from './useColumns';

/** ColumnPicker chooses what the table shows; the first column always stays. */
export function ColumnPicker<T>({ all, shown, toggle }: Columns<T>) {
  return (
    <Popover position="bottom-end" withinPortal>
      <Popover.Target>
        <Tooltip label={t.list.columns}>
          <ActionIcon size="lg" visibleFrom="sm" aria-label={t.list.columns}><IconColumns3 size={17} stroke={1.6} /></ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          {all.slice(1).map((c) => (
            <Checkbox key={c.id} size="xs" label={c.label} checked={shown.includes(c)} onChange={() => toggle(c.id)} />
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

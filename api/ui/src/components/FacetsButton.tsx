import { ActionIcon, Tooltip } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconFilter, IconFilterFilled } from '@tabler/icons-react';
import { t } from '~/text';

/** useFacetsOpen remembers per list whether the values are shown; there has to be room for them at first. */
export function useFacetsOpen(path: string): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useLocalStorage({ key: `stalker.facets${path}`, defaultValue: window.innerWidth >= 1200, getInitialValueInEffect: false });
  return [open, setOpen];
}

export function FacetsButton({ open, onChange }: { open: boolean; onChange: (open: boolean) => void }) {
  const Icon = open ? IconFilterFilled : IconFilter;
  return (
    <Tooltip label={t.list.facets}>
      <ActionIcon size="lg" aria-label={t.list.facets} aria-pressed={open} onClick={() => onChange(!open)}><Icon size={17} stroke={1.6} /></ActionIcon>
    </Tooltip>
  );
}

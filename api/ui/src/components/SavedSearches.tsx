import { ActionIcon, Button, Group, Popover, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconBookmark, IconX } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { Link, useLocation } from 'react-router';
import { t } from '~/text';

interface Saved {
  name: string;
  /** the query part of the address, which is all of a list's state */
  search: string;
}

/** SavedSearches keeps states of a list by name, in this browser. */
export function SavedSearches({ path }: { path: string }) {
  const [saved, setSaved] = useLocalStorage<Saved[]>({ key: `stalker.searches${path}`, defaultValue: [], getInitialValueInEffect: false });
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState('');
  const { search } = useLocation();
  const save = (e: FormEvent) => {
    e.preventDefault();
    setSaved((was) => [...was.filter((s) => s.name !== name.trim()), { name: name.trim(), search }]);
    setName('');
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={300} trapFocus withRoles={false}>
      <Popover.Target>
        <Tooltip label={t.list.saved}>
          <ActionIcon size="lg" aria-label={t.list.saved} aria-expanded={opened} onClick={() => setOpened(!opened)}><IconBookmark size={17} stroke={1.6} /></ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          {saved.length === 0 && <Text size="sm" className="faint">{t.list.savedNone}</Text>}
          {saved.map((s) => (
            <Group key={s.name} gap={4} wrap="nowrap" justify="space-between">
              <Link className="link" to={{ pathname: path, search: s.search }} onClick={() => setOpened(false)}>{s.name}</Link>
              <ActionIcon size="sm" aria-label={t.list.forget(s.name)} onClick={() => setSaved((was) => was.filter((x) => x !== s))}><IconX size={14} /></ActionIcon>
            </Group>
          ))}
          <form onSubmit={save}>
            <Group gap="xs" wrap="nowrap">
              <TextInput size="xs" flex={1} value={name} onChange={(e) => setName(e.currentTarget.value)} placeholder={t.list.saveName} aria-label={t.list.saveName} maxLength={60} />
              <Button type="submit" disabled={name.trim() === ''}>{t.list.save}</Button>
            </Group>
          </form>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

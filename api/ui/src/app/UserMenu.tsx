import { ActionIcon, Menu, Text, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { IconApi, IconBook, IconCheck, IconDeviceDesktop, IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { post } from '~/api/client';
import { useMe } from '~/api/queries';
import { t } from '~/text';

const schemes: { value: MantineColorScheme; icon: typeof IconSun }[] = [
  { value: 'light', icon: IconSun },
  { value: 'dark', icon: IconMoon },
  { value: 'auto', icon: IconDeviceDesktop },
];

/** UserMenu opens as soon as it is drawn: UserButton stands there until it is wanted. */
export default function UserMenu() {
  const me = useMe().data;
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = useLogout();
  return (
    <Menu position="bottom-end" width={220} defaultOpened>
      <Menu.Target>
        <ActionIcon size="lg" aria-label={t.user.menu}>
          <IconUserCircle size={20} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" truncate c="var(--mantine-color-text)" fw={500}>{me?.name || me?.email}</Text>
          <Text size="xs" truncate>{me?.email}</Text>
        </Menu.Label>
        <Menu.Divider />
        {schemes.map(({ value, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} stroke={1.6} />}
            rightSection={colorScheme === value && <IconCheck size={14} aria-label={t.user.chosen} />}
            onClick={() => setColorScheme(value)}
          >
            {t.user.themes[value]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} to="/profile" leftSection={<IconUserCircle size={16} stroke={1.6} />}>{t.user.profile}</Menu.Item>
        <Menu.Item component="a" href="/docs/" target="_blank" leftSection={<IconBook size={16} stroke={1.6} />}>{t.user.manual}</Menu.Item>
        <Menu.Item component="a" href="/api/docs" target="_blank" leftSection={<IconApi size={16} stroke={1.6} />}>{t.user.api}</Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.6} />} onClick={() => leave.mutate()}>
          {t.user.logout}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function useLogout() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => post<void>('/logout'),
    onSuccess: async () => {
      sessionStorage.clear();
      await navigate('/login');
      client.clear();
    },
  });
}

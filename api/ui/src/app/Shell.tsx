import { AppShell, Box, Burger, Group } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useEffect } from 'react';
import { Navigate, Outlet, useLocation, useNavigation } from 'react-router';
import { useMe } from '~/api/queries';
import { ApiError } from '~/api/client';
import { Loading, Problem } from '~/components/States';
import { t } from '~/text';
import { Brand } from './Brand';
import { Dialogs } from './Dialogs';
import { Nav } from './Nav';
import { PaletteButton } from './PaletteButton';
import { ProjectPicker } from './ProjectPicker';
import { useCarryProject } from './project';
import classes from './Shell.module.css';
import { UserButton } from './UserButton';

/** Shell is the frame around every page of somebody who is logged in. */
export function Shell() {
  const me = useMe();
  const location = useLocation();
  if (me.isPending) return <Loading full />;
  if (me.error instanceof ApiError && me.error.status === 401) {
    const next = location.pathname + location.search;
    return <Navigate to={`/login${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}`} replace />;
  }
  if (me.error) return <Problem error={me.error} retry={() => void me.refetch()} />;
  return <Frame />;
}

function Frame() {
  const [open, { toggle, close }] = useDisclosure();
  const location = useLocation();
  const busy = useNavigation().state === 'loading';
  useCarryProject();
  useEffect(close, [close, location.pathname]);
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !open } }}
      transitionDuration={0}
      classNames={{ header: classes.header, navbar: classes.navbar, main: classes.main }}
    >
      <a className={classes.skip} href="#main">{t.frame.skip}</a>
      <AppShell.Header>
        <Group h="100%" px="sm" gap="xs" wrap="nowrap" justify="space-between">
          <Group gap="xs" wrap="nowrap" className={classes.left}>
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t.frame.menu} />
            <Brand />
            <ProjectPicker />
          </Group>
          <Group gap={4} wrap="nowrap">
            <PaletteButton />
            <UserButton />
          </Group>
        </Group>
        {busy && <Box className={classes.progress} role="progressbar" aria-label={t.states.loading} />}
      </AppShell.Header>
      <AppShell.Navbar>
        <Nav />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Outlet />
        <Dialogs />
      </AppShell.Main>
    </AppShell>
  );
}

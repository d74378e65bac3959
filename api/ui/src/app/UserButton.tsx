import { ActionIcon } from '@mantine/core';
import { IconUserCircle } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { t } from '~/text';
import { later } from './later';

const UserMenu = later(() => import('./UserMenu'));

/** UserButton stands where the menu does, which is fetched when it is first opened. */
export function UserButton() {
  const [wanted, setWanted] = useState(false);
  const button = (
    <ActionIcon size="lg" aria-label={t.user.menu} aria-haspopup="menu" onClick={() => setWanted(true)}>
      <IconUserCircle size={20} stroke={1.6} />
    </ActionIcon>
  );
  return wanted ? <Suspense fallback={button}><UserMenu /></Suspense> : button;
}

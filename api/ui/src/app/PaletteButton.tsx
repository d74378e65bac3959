import { Button, Kbd } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { t } from '~/text';
import { later } from './later';
import classes from './PaletteButton.module.css';

const Palette = later(() => import('./Palette'));

/** PaletteButton fetches the command palette when it is first wanted; from then on that listens itself. */
export function PaletteButton() {
  const [wanted, setWanted] = useState(0);
  const want = () => setWanted((n) => n + 1);
  useHotkeys(wanted ? [] : [['mod+K', want]], []);
  return (
    <>
      <Button
        variant="default"
        className={classes.button}
        leftSection={<IconSearch size={15} />}
        rightSection={<Kbd size="xs" className={classes.key} aria-hidden>Ctrl K</Kbd>}
        onClick={want}
      >
        <span className={classes.label}>{t.palette.label}</span>
      </Button>
      {wanted > 0 && <Suspense><Palette wanted={wanted} /></Suspense>}
    </>
  );
}

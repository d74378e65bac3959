import { Drawer } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Finding } from '~/api/types';
import { t } from '~/text';
import { FindingCard } from './FindingCard';

/** FindingDrawer shows a finding beside the list it was chosen from. */
export function FindingDrawer({ children }: { children: (show: (f: Finding) => void) => ReactNode }) {
  const [shown, setShown] = useState<Finding>();
  return (
    <>
      {children(setShown)}
      <Drawer opened={shown !== undefined} onClose={() => setShown(undefined)} position="right" size="lg" title={t.finding.title}>
        {shown && <FindingCard finding={shown} about />}
      </Drawer>
    </>
  );
}

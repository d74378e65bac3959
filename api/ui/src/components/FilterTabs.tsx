import { UnstyledButton } from '@mantine/core';
import { compact } from '~/lib/number';
import classes from './FilterTabs.module.css';

interface Tab {
  value: string;
  label: string;
  count?: number;
}

/** FilterTabs chooses one value of few, each with how many there are. */
export function FilterTabs({ label, tabs, value, onChange }: { label: string; tabs: Tab[]; value: string; onChange: (value: string) => void }) {
  return (
    <div className={classes.tabs} role="group" aria-label={label}>
      {tabs.map((tab) => (
        <UnstyledButton key={tab.value} className={classes.tab} aria-pressed={tab.value === value} onClick={() => onChange(tab.value)}>
          {tab.label}
          {tab.count !== undefined && tab.count > 0 && <span className={classes.count}>{compact(tab.count)}</span>}
        </UnstyledButton>
      ))}
    </div>
  );
}

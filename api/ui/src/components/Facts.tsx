import type { ReactNode } from 'react';
import classes from './Facts.module.css';

export type Fact = [label: string, value: ReactNode] | false | undefined | '' | 0;

/** Facts is a list of names and values; what is absent is left out. */
export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className={classes.facts}>
      {facts.filter((f) => f !== false && f !== undefined && f !== '' && f !== 0).map(([label, value]) => (
        <div key={label} className={classes.pair}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

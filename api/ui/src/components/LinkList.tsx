import { Button } from '@mantine/core';
import { useState } from 'react';
import { count } from '~/lib/number';
import { t } from '~/text';
import { KeyLink } from './Links';
import classes from './LinkList.module.css';

/** LinkList is the resources another one is linked to. */
export function LinkList({ keys, empty }: { keys: string[]; empty: string }) {
  const [all, setAll] = useState(false);
  if (keys.length === 0) return <span className="faint">{empty}</span>;
  return (
    <>
      <ul className={classes.list}>
        {(all ? keys : keys.slice(0, 20)).map((k) => <li key={k}><KeyLink of={k} /></li>)}
      </ul>
      {!all && keys.length > 20 && (
        <Button variant="subtle" size="compact-sm" mt={6} onClick={() => setAll(true)}>{t.resource.all(count(keys.length))}</Button>
      )}
    </>
  );
}

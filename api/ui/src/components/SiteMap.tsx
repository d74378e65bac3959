import { TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { count } from '~/lib/number';
import { sift, treeOf, type Node } from '~/lib/tree';
import { t } from '~/text';
import { Panel } from './Panel';
import classes from './SiteMap.module.css';

/** SiteMap shows the paths seen below a website as a tree. */
export function SiteMap({ paths }: { paths: string[] }) {
  const [find, setFind] = useState('');
  const tree = sift(treeOf(paths), find.trim());
  return (
    <Panel
      title={t.website.siteMap} note={count(paths.length)}
      actions={paths.length > 10 && <TextInput size="xs" w={160} value={find} onChange={(e) => setFind(e.currentTarget.value)} placeholder={t.website.findPath} aria-label={t.website.findPath} />}
    >
      {tree ? <ul className={classes.tree}><Branch node={tree} open /></ul> : <span className="faint">{t.states.nothing}</span>}
    </Panel>
  );
}

function Branch({ node, open: initially }: { node: Node; open: boolean }) {
  const [open, setOpen] = useState(initially);
  const name = <span className={`mono ${node.seen ? '' : 'faint'}`}>{node.name}</span>;
  if (node.children.length === 0) return <li className={classes.leaf}>{name}</li>;
  return (
    <li>
      <UnstyledButton className={classes.branch} aria-expanded={open} onClick={() => setOpen(!open)}>
        <IconChevronRight size={13} className={classes.arrow} aria-hidden />{name}
      </UnstyledButton>
      {open && <ul className={classes.below}>{node.children.map((c) => <Branch key={c.path} node={c} open={node.children.length < 20} />)}</ul>}
    </li>
  );
}

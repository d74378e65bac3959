import { UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { below, type Surroundings, type Thing } from '~/lib/surroundings';
import { t } from '~/text';
import classes from './Topology.module.css';

interface Props {
  of: Surroundings;
  root: string;
  picked: string;
  pick: (key: string) => void;
}

interface Line {
  thing: Thing;
  children: number;
  open: boolean;
  position: number;
  siblings: number;
}

/** Tree holds what the graph does, for the keyboard and for those who do not see. Only the lines in sight are drawn. */
export function Tree({ of, root, picked, pick }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const lines = useMemo(() => linesOf(of, root, closed), [of, root, closed]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => 28, overscan: 20 });
  const at = Math.max(0, lines.findIndex((l) => l.thing.key === picked));
  useEffect(() => virtual.scrollToIndex(at), [at, virtual]);
  const fold = (key: string, open: boolean) => setClosed((was) => {
    const now = new Set(was);
    if (open) now.delete(key);
    else now.add(key);
    return now;
  });
  const go = (i: number) => lines[i] && pick(lines[i].thing.key);
  const onKeyDown = (e: KeyboardEvent) => {
    const line = lines[at];
    if (!line) return;
    const parent = line.thing.parent;
    const moves: Record<string, () => unknown> = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(lines.length - 1),
      ArrowRight: () => (line.children > 0 && !line.open ? fold(line.thing.key, true) : line.children > 0 && go(at + 1)),
      ArrowLeft: () => (line.children > 0 && line.open ? fold(line.thing.key, false) : parent && pick(parent)),
    };
    if (!moves[e.key]) return;
    e.preventDefault();
    moves[e.key]!();
  };
  return (
    <div className={classes.tree} ref={scroller} role="tree" aria-label={t.topology.tree} tabIndex={0} aria-activedescendant={`line-${at}`} onKeyDown={onKeyDown}>
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((v) => {
          const l = lines[v.index]!;
          return (
            <div
              key={l.thing.key} id={`line-${v.index}`} role="treeitem" className={classes.line}
              aria-level={l.thing.depth + 1} aria-posinset={l.position} aria-setsize={l.siblings} aria-selected={v.index === at} aria-expanded={l.children > 0 ? l.open : undefined}
              style={{ transform: `translateY(${v.start}px)`, paddingLeft: 8 + l.thing.depth * 18 }} onClick={() => pick(l.thing.key)}
            >
              {l.children > 0 ? (
                <UnstyledButton tabIndex={-1} aria-hidden className={classes.fold} data-open={l.open || undefined} onClick={(e) => (e.stopPropagation(), fold(l.thing.key, !l.open))}><IconChevronRight size={13} /></UnstyledButton>
              ) : <span className={classes.fold} />}
              <span className={classes.dot} data-kind={l.thing.kind} />
              <span className="mono">{l.thing.label}</span>
              <span className="faint">{l.thing.kind === 'website' ? t.topology.websiteAt(addressOf(l.thing.key)) : t.topology.one[l.thing.kind]}{l.thing.blocked && `, ${t.marks.blocked}`}{l.thing.closed && `, ${t.marks.closed}`}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** addressOf tells apart websites of one name on several hosts. */
const addressOf = (key: string) => /;host:(.+?);port:/.exec(key)?.[1] ?? '';

function linesOf(of: Surroundings, root: string, closed: ReadonlySet<string>): Line[] {
  const children = below(of);
  const out: Line[] = [];
  const add = (thing: Thing, position: number, siblings: number) => {
    const own = children.get(thing.key) ?? [];
    const open = !closed.has(thing.key);
    out.push({ thing, children: own.length, open, position, siblings });
    if (open) own.forEach((c, i) => add(c, i + 1, own.length));
  };
  const middle = of.things.get(root);
  if (middle) add(middle, 1, 1);
  return out;
}

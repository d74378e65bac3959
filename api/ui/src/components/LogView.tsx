import { ActionIcon, Select, Switch, TextInput, Tooltip } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Level, LogLine } from '~/api/types';
import { useLog } from '~/api/useLog';
import { download } from '~/lib/download';
import { count } from '~/lib/number';
import { clock } from '~/lib/time';
import { t } from '~/text';
import classes from './LogView.module.css';
import { Panel } from './Panel';
import { Empty, Loading, Problem } from './States';

const levels = ['debug', 'info', 'warning', 'error'] as const;

/** LogView shows a log, follows its end while there is more to come, and leaves it alone once somebody scrolled up. */
export function LogView({ id, live }: { id: string; live: boolean }) {
  const [level, setLevel] = useState<Level>('debug');
  const [find, setFind] = useState('');
  const [following, setFollowing] = useState(live);
  const log = useLog(id, level, live);
  const lines = useMemo(() => {
    const q = find.trim().toLowerCase();
    return q ? log.lines.filter((l) => l.text.toLowerCase().includes(q)) : log.lines;
  }, [log.lines, find]);
  const save = () => download(`${id}.log`, log.lines.map(plain).join('\n'));
  return (
    <Panel
      title={t.execution.log}
      note={t.log.lines(count(lines.length))}
      flush
      actions={
        <>
          {live && <Switch size="xs" label={t.log.follow} checked={following} onChange={(e) => setFollowing(e.currentTarget.checked)} className={classes.follow} />}
          <TextInput size="xs" w={150} visibleFrom="xs" value={find} onChange={(e) => setFind(e.currentTarget.value)} placeholder={t.log.find} aria-label={t.log.find} />
          <Select
            size="xs" w={160} allowDeselect={false} aria-label={t.log.level}
            data={levels.map((l) => ({ value: l, label: t.log.levels[l] }))}
            value={level} onChange={(v) => setLevel((v ?? 'debug') as Level)}
          />
          <Tooltip label={t.log.download}>
            <ActionIcon aria-label={t.log.download} disabled={log.lines.length === 0} onClick={save}><IconDownload size={16} stroke={1.6} /></ActionIcon>
          </Tooltip>
        </>
      }
    >
      {log.loading ? <Loading /> : log.error && lines.length === 0 ? <Problem error={log.error} /> : lines.length === 0 ? (
        <Empty title={live ? t.log.empty : t.log.emptyEnded} />
      ) : (
        <Lines lines={lines} following={live && following} leave={() => setFollowing(false)} />
      )}
    </Panel>
  );
}

const plain = (l: LogLine) => `${l.at} [${l.level}] ${l.text}`;

function Lines({ lines, following, leave }: { lines: LogLine[]; following: boolean; leave: () => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => 20, overscan: 20,
    initialRect: { width: 800, height: 480 },
  });
  useEffect(() => {
    if (following) virtual.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [following, lines.length, virtual]);
  return (
    <div
      className={classes.lines} ref={scroller} tabIndex={0} role="log" aria-live="off" aria-label={t.execution.log}
      onWheel={(e) => e.deltaY < 0 && following && leave()}
    >
      <div className={classes.all} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const l = lines[item.index]!;
          return (
            <div key={item.key} ref={virtual.measureElement} data-index={item.index} data-level={l.level} className={classes.line} style={{ transform: `translateY(${item.start}px)` }}>
              <time dateTime={l.at}>{clock(l.at)}</time>
              <span className={classes.level}>{l.level}</span>
              <span className={classes.text}>{l.text}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

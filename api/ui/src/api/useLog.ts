import { useEffect, useState } from 'react';
import { get, urlOf } from './client';
import type { Level, LogLine, Page } from './types';

interface Log {
  lines: LogLine[];
  loading: boolean;
  error?: Error;
}

const everyMs = 150;

/** useLog reads the log of an execution and, until that has ended, is told its lines as they come. */
export function useLog(id: string, level: Level, live: boolean): Log {
  const [log, setLog] = useState<Log>({ lines: [], loading: true });
  useEffect(() => setLog({ lines: [], loading: true }), [id, level]);
  useEffect(() => (live ? follow(id, level, setLog) : readAll(id, level, setLog)), [id, level, live]);
  return log;
}

type Set = (log: Log) => void;

/** readAll reads a log that has ended, page by page. */
function readAll(id: string, level: Level, set: Set): () => void {
  const stop = new AbortController();
  const read = async () => {
    let lines: LogLine[] = [];
    let after: string | undefined;
    for (;;) {
      const page: Page<LogLine> = await get(`/executions/${id}/logs`, { level, after, limit: 1000 }, stop.signal);
      after = page.next ?? after;
      lines = [...lines, ...page.items];
      set({ lines, loading: false });
      if (page.items.length < 1000) return;
    }
  };
  read().catch((error: Error) => !stop.signal.aborted && set({ lines: [], loading: false, error }));
  return () => stop.abort();
}

/** follow listens to server-sent events; the browser comes back by itself with the id of the last line it had. */
function follow(id: string, level: Level, set: Set): () => void {
  const events = new EventSource(urlOf(`/executions/${id}/logs/stream`, { level }));
  let lines: LogLine[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  // many lines come at once; the page is drawn for all of them together
  const draw = () => {
    timer = undefined;
    set({ lines, loading: false });
  };
  const soon = () => (timer ??= setTimeout(draw, everyMs));
  events.addEventListener('line', (e: MessageEvent<string>) => {
    lines = [...lines, JSON.parse(e.data) as LogLine];
    soon();
  });
  events.addEventListener('state', soon);
  events.addEventListener('end', () => {
    events.close();
    soon();
  });
  return () => {
    events.close();
    clearTimeout(timer);
  };
}

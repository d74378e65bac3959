import { useEffect, useState } from 'react';
import { get } from './client';
import type { Level, LogLine, Page } from './types';

interface Log {
  lines: LogLine[];
  loading: boolean;
  error?: Error;
}

const everyMs = 1000;

/** useLog reads the log of an execution and, until that has ended, follows it. */
export function useLog(id: string, level: Level, live: boolean): Log {
  const [log, setLog] = useState<Log>({ lines: [], loading: true });
  useEffect(() => setLog({ lines: [], loading: true }), [id, level]);
  useEffect(() => {
    const stop = new AbortController();
    void follow(id, level, live, stop.signal, setLog);
    return () => stop.abort();
  }, [id, level, live]);
  return log;
}

async function follow(id: string, level: Level, live: boolean, signal: AbortSignal, set: (log: Log) => void) {
  let lines: LogLine[] = [];
  let after: string | undefined;
  while (!signal.aborted) {
    try {
      const page = await get<Page<LogLine>>(`/executions/${id}/logs`, { level, after, limit: 1000 }, signal);
      after = page.next ?? after;
      lines = page.items.length > 0 ? [...lines, ...page.items] : lines;
      set({ lines, loading: false });
      if (page.items.length === 1000) continue;
      if (!live) return;
    } catch (error) {
      if (signal.aborted) return;
      set({ lines, loading: false, error: error as Error });
    }
    await new Promise((done) => setTimeout(done, everyMs));
  }
}

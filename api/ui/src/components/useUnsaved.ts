import { useEffect, useRef } from 'react';
import { useBlocker } from 'react-router';
import { t } from '~/text';

/** useUnsaved asks before work that is not saved is left. What it returns lets the page go: it was saved. */
export function useUnsaved(unsaved: boolean): () => void {
  const asks = useRef(unsaved);
  asks.current = unsaved;
  const blocker = useBlocker(({ currentLocation: a, nextLocation: b }) => asks.current && a.pathname !== b.pathname);
  useEffect(() => {
    if (blocker.state !== 'blocked') return;
    if (window.confirm(t.actions.leave)) blocker.proceed();
    else blocker.reset();
  }, [blocker]);
  useEffect(() => {
    const ask = (e: BeforeUnloadEvent) => asks.current && e.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, []);
  return () => {
    asks.current = false;
  };
}

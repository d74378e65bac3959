// The project everything on screen is limited to, '' for all. It lives in the
// address, so that a link shows the same thing to somebody else, and follows the
// person from page to page.
import { useEffect } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';

const store = 'stalker.project';

export function useProject(): [string, (id: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = (id: string) => {
    sessionStorage.setItem(store, id);
    setParams((p) => {
      if (id) p.set('project', id);
      else p.delete('project');
      return p;
    });
  };
  return [params.get('project') ?? '', set];
}

/** useSearch is the part of an address that keeps the filter. */
export function useSearch(): string {
  const [project] = useProject();
  return project ? `?project=${project}` : '';
}

/** useCarryProject keeps the filter in the address when a link did not name it. */
export function useCarryProject(): void {
  const location = useLocation();
  const navigate = useNavigate();
  useEffect(() => {
    const params = new URLSearchParams(location.search);
    const named = params.get('project');
    const kept = sessionStorage.getItem(store) ?? '';
    if (named !== null) {
      sessionStorage.setItem(store, named);
    } else if (kept !== '') {
      params.set('project', kept);
      void navigate({ pathname: location.pathname, search: `?${params}`, hash: location.hash }, { replace: true });
    }
  }, [location, navigate]);
}

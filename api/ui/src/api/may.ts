import { covers } from '~/lib/scope';
import { useMe } from './queries';

/** useMay says whether the person may do something in a project, or in some project when none is given. */
export function useMay(): (scope: string, project?: string) => boolean {
  const me = useMe().data;
  return (scope, project) => {
    if (!me) return false;
    if (covers(me.scopes, scope)) return true;
    const byProject = me.projects ?? {};
    return project ? covers(byProject[project] ?? [], scope) : Object.values(byProject).some((s) => covers(s, scope));
  };
}

/** useMayEverywhere says whether the person may do something in every project. */
export function useMayEverywhere(): (scope: string) => boolean {
  const me = useMe().data;
  return (scope) => me !== undefined && covers(me.scopes, scope);
}

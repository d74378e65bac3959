import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Targets } from '~/lib/targets';
import { patch, post } from './client';
import type { Added, Project } from './types';

interface Input {
  project: Project;
  targets: Targets;
  /** networks the project may scan from now on */
  internal: string[];
}

// the server takes 10,000 at once; smaller pieces keep each answer quick
const piece = 5000;

/** useAddTargets adds targets of every kind, and first opens the networks they need. */
export function useAddTargets() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ project, targets, internal }: Input) => {
      if (internal.length > 0) {
        await patch(`/projects/${project.id}`, { internal: [...(project.internal ?? []), ...internal], version: project.version });
      }
      const out = { added: 0, visible: true };
      const kinds = [['domains', 'domains', targets.domains], ['hosts', 'ips', targets.ips], ['ip-ranges', 'ranges', targets.ranges]] as const;
      for (const [path, key, all] of kinds) {
        for (let i = 0; i < all.length; i += piece) {
          const answer = await post<Added>(`/projects/${project.id}/${path}`, { [key]: all.slice(i, i + piece) });
          out.added += answer.added.length;
          out.visible &&= answer.visible;
        }
      }
      return out;
    },
    onSettled: () => client.invalidateQueries(),
  });
}

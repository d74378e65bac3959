// Names of what is cached, so that a change knows what to ask for again.
export const keys = {
  me: ['me'] as const,
  setup: ['setup'] as const,
  version: ['version'] as const,
  projects: ['projects'] as const,
  counts: (project: string) => ['counts', project] as const,
  list: (path: string, params: object) => ['list', path, params] as const,
  one: (path: string, id: string) => ['one', path, id] as const,
};

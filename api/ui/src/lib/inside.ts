/** inside returns a path of this application, never another site's. */
export function inside(next: string | null): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/';
  return next;
}

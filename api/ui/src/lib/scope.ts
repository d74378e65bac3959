// What somebody may do, as the server decides it (api/auth/scopes.go). The interface
// only hides what would be refused.

/** covers says whether scopes with stars include one. */
export function covers(granted: readonly string[], want: string): boolean {
  return granted.some((g) => coversOne(g.split(':'), want.split(':')));
}

function coversOne(granted: string[], want: string[]): boolean {
  for (const [i, part] of granted.entries()) {
    if (part === '*' && i === granted.length - 1) return true;
    if (i >= want.length || (part !== '*' && part !== want[i])) return false;
  }
  return granted.length === want.length;
}

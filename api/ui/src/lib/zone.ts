// The time zone in which a person wants to see times. It is theirs, in this browser.

const kept = 'stalker-zone';

const browsers = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

function known(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** chosenZone is what was chosen here, '' for that of the machine. */
export function chosenZone(): string {
  const zone = globalThis.localStorage?.getItem(kept) ?? '';
  return zone && known(zone) ? zone : '';
}

/** chooseZone takes effect with the next page load: every time on the page changes. */
export function chooseZone(zone: string): void {
  if (zone) localStorage.setItem(kept, zone);
  else localStorage.removeItem(kept);
}

/** zone is in force until the page is loaded again. */
export const zone = chosenZone() || browsers();

const formats = new Map<string, Intl.DateTimeFormat>();

function format(of: string): Intl.DateTimeFormat {
  const have = formats.get(of);
  if (have) return have;
  const made = new Intl.DateTimeFormat('en-GB', { timeZone: of, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  formats.set(of, made);
  return made;
}

/** wall is what clock and calendar of a zone show at a time, as if they stood in Greenwich; in ms. */
export function wall(at: number, of = zone): number {
  const p = Object.fromEntries(format(of).formatToParts(at).map((x) => [x.type, Number(x.value)]));
  return Date.UTC(p.year!, p.month! - 1, p.day, p.hour, p.minute, p.second) + (((at % 1000) + 1000) % 1000);
}

/** instant is when a clock of a zone shows that. */
export function instant(shown: number, of = zone): number {
  const first = shown - (wall(shown, of) - shown);
  // the clock may have been changed in between
  return shown - (wall(first, of) - first);
}

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const dist = resolve(import.meta.dirname, '../dist');
// the product promises 300; what is free of it is for what comes
const limit = 220;

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
}

/** what a browser fetches before it shows the dashboard, compressed as it is sent */
export function size() {
  it(`is at most ${limit} kB`, () => {
    const manifest = JSON.parse(readFileSync(`${dist}/.vite/manifest.json`, 'utf8')) as Record<string, Chunk>;
    const files = new Set(['index.html', 'icon.svg']);
    const add = (name: string) => {
      const chunk = manifest[name];
      if (!chunk || files.has(chunk.file)) return;
      [chunk.file, ...(chunk.css ?? [])].forEach((f) => files.add(f));
      chunk.imports?.forEach(add);
    };
    ['index.html', 'src/pages/Dashboard.tsx'].forEach(add);
    // of the fonts a browser takes only the parts a page needs
    readdirSync(`${dist}/assets`).filter((f) => /-basic-.*\.woff2$/.test(f)).forEach((f) => files.add(`assets/${f}`));
    const bytes = [...files].reduce((n, f) => n + statSync(existsSync(`${dist}/${f}.gz`) ? `${dist}/${f}.gz` : `${dist}/${f}`).size, 0);
    console.log(`first load: ${Math.round(bytes / 1000)} kB compressed, limit ${limit} kB`);
    expect(bytes).toBeLessThanOrEqual(limit * 1000);
  });
}

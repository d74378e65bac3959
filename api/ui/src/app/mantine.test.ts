import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '..');
const styles = dirname(createRequire(import.meta.url).resolve('@mantine/core/styles/Button.css'));

it('every component in use has its styles', () => {
  const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.tsx'));
  const names = sources.flatMap((f) => {
    const imports = readFileSync(join(src, f), 'utf8').matchAll(/import \{([^}]*)\} from '@mantine\/core'/g);
    return [...imports].flatMap((m) => m[1]?.match(/\b[A-Z]\w+/g) ?? []);
  });
  const listed = ['mantine', 'mantine-rest'].map((f) => readFileSync(join(src, `app/${f}.ts`), 'utf8')).join('');
  const missing = [...new Set(names)].filter((n) => existsSync(join(styles, `${n}.css`)) && !listed.includes(`/${n}.layer.css'`));
  expect(missing).toEqual([]);
});

// The interface in a real browser against a real server. The parts follow one
// another: the first user, a project, a scan watched live, then every page.
import { afterAll, beforeAll, describe } from 'vitest';
import { access } from './access';
import { automation } from './automation';
import { begin } from './begin';
import { hostile } from './hostile';
import { keyboard } from './keyboard';
import { lists } from './lists';
import { looks } from './looks';
import { size } from './size';
import { scroll } from './scroll';
import { watch } from './watch';
import { World } from './world';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world?.stop());

const w = () => world;
describe('first load', size);
describe('a new server', () => begin(w));
describe('access', () => access(w));
describe('automation', () => automation(w));
describe('a scan', () => watch(w));
describe('keyboard', () => keyboard(w));
describe('lists', () => lists(w));
describe('strings from targets', () => hostile(w));
describe('a long list', () => scroll(w));
describe('every page', () => looks(w));

// The interface in a real browser against a real server. The parts follow one
// another: somebody's first way through the product, what people do all day, then every page.
import { afterAll, beforeAll, describe } from 'vitest';
import { access } from './access';
import { automation } from './automation';
import { begin } from './begin';
import { decide } from './decide';
import { first } from './first';
import { hostile } from './hostile';
import { incoming } from './incoming';
import { keyboard } from './keyboard';
import { lists } from './lists';
import { looks } from './looks';
import { signOn } from './signon';
import { size } from './size';
import { scroll } from './scroll';
import { rest } from './rest';
import { settings } from './settings';
import { sources } from './sources';
import { tell } from './tell';
import { topology } from './topology';
import { watch } from './watch';
import { World } from './world';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world?.stop());

const w = () => world;
describe('first load', size);
describe('a new server', () => first(w));
describe('targets', () => begin(w));
describe('access', () => access(w));
describe('single sign-on', () => signOn(w));
describe('automation', () => automation(w));
describe('the scan', () => watch(w));
describe('what other tools wrote', () => incoming(w));
describe('git sources', () => sources(w));
describe('notifications', () => tell(w));
describe('settings', () => settings(w));
describe('keyboard', () => keyboard(w));
describe('topology', () => topology(w));
describe('lists', () => lists(w));
describe('decisions', () => decide(w));
describe('the rest', () => rest(w));
describe('strings from targets', () => hostile(w));
describe('a long list', () => scroll(w));
describe('every page', () => looks(w));

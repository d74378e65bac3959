export { en as t } from './en';
export type { Noun } from './en';

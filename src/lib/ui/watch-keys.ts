import {listKeys} from './list-keys.ts';

/** Every key of the live view of health. */
export const WATCH_KEYS = listKeys({
  row: 'endpoint',
  holds: 'region, endpoint, probe, verdict, reason',
  orders: 'as in the file, worst first, slowest first, oldest first',
  goesOn: 'asking',
});

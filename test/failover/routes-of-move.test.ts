import {describe, expect, it} from 'vitest';
import {routesOfMove} from '../../src/lib/failover/routes-of-move.ts';
import type {Fleet, RouteSpec} from '../../src/lib/fleet/fleet.ts';

const route = (name: string, weights: Record<string, number>): RouteSpec => ({name, weights}) as unknown as RouteSpec;
const fleet = {
  routes: [
    route('japan', {tokyo: 100, singapore: 0}),
    route('europe', {frankfurt: 100, virginia: 0}),
    route('asia', {singapore: 100, virginia: 0}),
    route('world', {tokyo: 50, virginia: 50}),
  ],
} as unknown as Fleet;

describe('routesOfMove', () => {
  it('takes only routes along that know both regions', () => {
    const {routes, remarks} = routesOfMove(fleet, 'tokyo', () => 'virginia');
    expect(routes.map(({name}) => name)).toEqual(['world']);
    expect(remarks).toEqual(['japan does not lead to virginia: it is left as it is']);
  });

  it('judges each route by the region that its data goes to', () => {
    const {routes, remarks} = routesOfMove(fleet, 'tokyo', ({name}) => (name === 'japan' ? 'singapore' : 'virginia'));
    expect([routes.map(({name}) => name), remarks]).toEqual([['japan', 'world'], []]);
  });

  it('leaves alone what never led to the region that is left', () => {
    expect(routesOfMove(fleet, 'virginia', () => 'tokyo').routes.map(({name}) => name)).toEqual(['world']);
    expect(routesOfMove(fleet, 'nowhere', () => 'virginia')).toEqual({routes: [], remarks: []});
  });
});

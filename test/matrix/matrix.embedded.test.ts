import {describe} from 'vitest';
import {labGround} from './lab-ground.ts';
import {matrix} from './matrix.ts';

describe('faults of a lab', () => {
  matrix(['eu-west', 'ap'], {faults: ['partition'], restarts: []}, labGround);
});

export type SearchOptions = {
  /** First step along each parameter. */
  readonly step: number;
  /** Most rounds. */
  readonly rounds: number;
  /** Ends when the best and the worst corner differ by less than this part of the best. */
  readonly tolerance: number;
};

/** One corner of the simplex. */
type Corner = {readonly at: Float64Array; readonly cost: number};

/**
 * The point with the least cost that the simplex search of Nelder and Mead (1965) finds from `start`: it needs no derivatives and is deterministic.
 * A cost that is not finite counts as very high.
 */
export function nelderMead(costOf: (at: Float64Array) => number, start: readonly number[], options: SearchOptions): Float64Array {
  const size = start.length;
  const corner = (at: Float64Array): Corner => {
    const cost = costOf(at);
    return {at, cost: Number.isFinite(cost) ? cost : Number.MAX_VALUE};
  };
  let corners = Array.from({length: size + 1}, (_, index) =>
    corner(Float64Array.from(start, (value, i) => (i === index - 1 ? value + options.step : value))),
  );
  for (let round = 0; round < options.rounds; round++) {
    corners.sort((a, b) => a.cost - b.cost);
    const best = corners[0] as Corner;
    const worst = corners[size] as Corner;
    if (worst.cost - best.cost <= options.tolerance * best.cost) break;
    const centre = centreOf(corners, size);
    // On the line through the worst corner and the centre of the others: 1 = the worst one itself, 0 = the centre, -1 = mirrored.
    const along = (k: number): Corner => corner(centre.map((c, i) => c + k * ((worst.at[i] as number) - c)));
    const better = replacement(corners, along);
    if (better !== null) corners[size] = better;
    else corners = [best, ...corners.slice(1).map(({at}) => corner(at.map((v, i) => ((best.at[i] as number) + v) / 2)))];
  }
  return corners.reduce((least, one) => (one.cost < least.cost ? one : least)).at;
}

function centreOf(corners: readonly Corner[], size: number): Float64Array {
  const centre = new Float64Array(size);
  for (let c = 0; c < size; c++) for (let i = 0; i < size; i++) centre[i] = (centre[i] as number) + (corners[c]?.at[i] as number) / size;
  return centre;
}

/** What takes the place of the worst corner: mirrored, stretched or drawn in. null = nothing is better, the simplex has to shrink. */
function replacement(corners: readonly Corner[], along: (k: number) => Corner): Corner | null {
  const size = corners.length - 1;
  const best = corners[0] as Corner;
  const second = corners[size - 1] as Corner;
  const worst = corners[size] as Corner;
  const mirrored = along(-1);
  if (mirrored.cost < best.cost) {
    const stretched = along(-2);
    return stretched.cost < mirrored.cost ? stretched : mirrored;
  }
  if (mirrored.cost < second.cost) return mirrored;
  const drawn = along(mirrored.cost < worst.cost ? -0.5 : 0.5);
  return drawn.cost < Math.min(mirrored.cost, worst.cost) ? drawn : null;
}

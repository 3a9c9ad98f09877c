/** Numbers between 0 and 1 that are the same in every run (Park and Miller 1988). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Normal numbers with mean 0 and variance 1 (Box and Muller 1958). */
export function normal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** Requests per hour of a service: a day, a week with a quiet weekend, and noise that carries over, in percent. */
export function traffic(hours: number, seed: number, noisePercent = 5): Float64Array {
  const noise = normal(seeded(seed));
  let carried = 0;
  return Float64Array.from({length: hours}, (_, t) => {
    carried = 0.6 * carried + (noise() * noisePercent) / 100;
    const day = 1 + 0.6 * Math.sin(((t - 8) / 24) * 2 * Math.PI);
    const weekend = Math.floor(t / 24) % 7 >= 5 ? 0.6 : 1;
    return 1000 * day * weekend * Math.exp(carried);
  });
}

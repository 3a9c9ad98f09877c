/**
 * The samples of an answer in Prometheus' text format, by name. Of several samples of one name (with labels) the sum is kept: the durations of the
 * phases of one probe add up. What is no sample is left out.
 */
export function metricsOf(text: string): Map<string, number> {
  const metrics = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const number = Number(value);
    if (!Number.isNaN(number)) metrics.set(name, (metrics.get(name) ?? 0) + number);
  }
  return metrics;
}

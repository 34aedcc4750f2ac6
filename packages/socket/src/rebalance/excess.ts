/** An instance with fewer sessions more than this over the mean is left alone: they come and go. */
const minExcess = 2;
/** So is one that has less than this part more than the mean. */
const minExcessShare = 0.1;

/** How many sessions an instance has too many, given how many the others have. */
export function excessSessions(own: number, others: Iterable<number>): number {
  let [sum, instances] = [own, 1];
  for (const count of others) {
    sum += count;
    instances += 1;
  }
  const mean = sum / instances;
  const excess = Math.floor(own - mean);
  return excess < Math.max(minExcess, mean * minExcessShare) ? 0 : excess;
}

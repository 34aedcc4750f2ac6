/** Time as the page sees it. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Calls once, so much later, unless what it returns is called first. */
  after(ms: number, call: () => void): () => void;
}

export const browserClock: Clock = {
  now: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Where a worker of one host waits for another one: on a word of memory that both share. */
export interface WordSleeper {
  /** Milliseconds for which it costs less to look at a word again and again than to sleep. */
  readonly spinMs: number;
  /** Lets another thread or process have this processor, if one waits for it. */
  giveWay(): void;
  /** Returns when another worker wakes those who sleep on `word[0]`, when it isn't `value`, or after the time. Blocks the thread. */
  sleep(word: Int32Array, value: number, milliseconds: number): void;
  /** Wakes all who sleep on `word[0]`, in any process. */
  wake(word: Int32Array): void;
}

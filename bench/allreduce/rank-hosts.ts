/** Where ranks run. */
export interface RankHosts {
  /** Of the rank's host, as the others reach it. */
  address(rank: number): string;
  /** What a command is put behind so that it runs there; empty: it runs here. */
  through(rank: number): readonly string[];
  /** The network interface towards the others; null: the system's choice. */
  readonly networkInterface: string | null;
}

/** All on this host. */
export const THIS_HOST: RankHosts = { address: () => "127.0.0.1", through: () => [], networkInterface: null };

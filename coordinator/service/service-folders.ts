import { join } from "node:path";
import type { JobId } from "../../shared/ids.js";

/** In the data directory; others are told of runs by paths from there. */
const RUNS = "runs";

/** Where the service keeps what is no record of its store; absolute paths. */
export class ServiceFolders {
  /** What stored files are lent by; may be removed when no run is going on. */
  readonly lent: string;
  /** Where prepared rows are kept. */
  readonly rows: string;
  /** What paths begin with that only this server knows. */
  readonly ownPath: string;
  readonly #data: string;

  /** @param rows where the user wants prepared rows; absent: with the rest */
  constructor(data: string, rows: string | undefined) {
    this.#data = data;
    this.lent = join(data, "lent");
    this.rows = rows ?? join(data, "rows");
    this.ownPath = join(data, "/");
  }

  /** Where a job's runs write. */
  outputOf(id: JobId): string {
    return join(this.#data, RUNS, id);
  }

  /** The same place, as others are told of it. */
  shownOutputOf(id: JobId): string {
    return join(RUNS, id);
  }
}

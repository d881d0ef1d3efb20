/** As far as a `File` is needed here. */
export interface TextFile {
  readonly name: string;
  text(): Promise<string>;
}

export interface TextListener {
  readonly read: (text: string) => void;
  /** With what to tell a person. */
  readonly failed: (problem: string) => void;
}

/** Reads the file that was chosen last; what comes of others, or after {@link supersede}, is heard by nobody. */
export class LatestText {
  #turn = 0;

  /** Another text has taken the place of the one that is being read, if there is one. */
  supersede(): void {
    this.#turn++;
  }

  /** Never rejects. */
  async read(file: TextFile, { read, failed }: TextListener): Promise<void> {
    this.supersede();
    const turn = this.#turn;
    try {
      const text = await file.text();
      if (turn === this.#turn) read(text);
    } catch (thrown) {
      // A browser refuses a file that was changed, moved or removed since it was chosen.
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      if (turn === this.#turn) failed(`${file.name} can't be read: ${why} Choose it again`);
    }
  }
}

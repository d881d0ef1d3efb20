/** One server-sent event. */
export interface ServerSentEvent {
  /** Empty where the server gave none. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Reads `text/event-stream` piece by piece (WHATWG HTML, section 9.2.6). The browser's own EventSource can't send a bearer token.
 * Holds no more than one unfinished event. One reader at a time.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #afterCarriageReturn = false;
  #id = "";
  #event = "";
  #data: string[] = [];

  /** @returns the events that `piece` completes */
  push(piece: Uint8Array): ServerSentEvent[] {
    let text = this.#decoder.decode(piece, { stream: true });
    if (text === "") return [];
    // A line may end in CR LF, and the piece between the two.
    if (this.#afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
    this.#afterCarriageReturn = text === "" ? false : text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else if (this.#data.length > 0) events.push(this.#take());
      else this.#event = "";
    }
    return events;
  }

  #take(): ServerSentEvent {
    const event = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    this.#event = "";
    this.#data = [];
    return event;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }
}

import type { TokenKeeper } from "./token-keeper.js";

const KEY = "ringstrasse-token";

/** In this tab's session storage: gone when the tab closes, never sent by the browser of its own accord. */
export class SessionTokenKeeper implements TokenKeeper {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get(): string | null {
    return this.#storage.getItem(KEY);
  }

  set(token: string): void {
    this.#storage.setItem(KEY, token);
  }
}

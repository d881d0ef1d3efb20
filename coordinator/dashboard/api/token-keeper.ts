/** Where the bearer token is kept between page loads of one tab. */
export interface TokenKeeper {
  /** Null: requests go without one. */
  get(): string | null;
  set(token: string): void;
}

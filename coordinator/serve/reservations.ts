/**
 * Who is spoken for. A reservation is freed as often as one likes and frees only what it has itself: others may have taken the same
 * members since.
 */
export class Reservations<T> {
  readonly #holders = new Map<T, Reservation>();

  /** @throws RangeError for a member that is reserved already */
  reserve(members: readonly T[]): Reservation {
    if (members.some((member) => this.has(member))) throw new RangeError("reserved twice");
    const reservation: Reservation = {
      free: () => {
        const held = [...this.#holders].filter(([, holder]) => holder === reservation);
        for (const [member] of held) this.#holders.delete(member);
        return held.length > 0;
      },
    };
    for (const member of members) this.#holders.set(member, reservation);
    return reservation;
  }

  has(member: T): boolean {
    return this.#holders.has(member);
  }
}

export interface Reservation {
  /** @returns whether it had anything left to free */
  free(): boolean;
}

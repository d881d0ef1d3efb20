import type { RandomStream } from "./random-stream.js";

/** Shuffles in place; every order equally likely. Fisher–Yates (Durstenfeld 1964), O(n). */
export function shuffle(items: Uint32Array, random: RandomStream): void {
  for (let last = items.length - 1; last > 0; last--) {
    const chosen = random.nextBelow(last + 1);
    const held = items[last] as number;
    items[last] = items[chosen] as number;
    items[chosen] = held;
  }
}

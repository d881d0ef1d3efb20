/** What layers without parameters have in common. */
export abstract class PlainLayer {
  load(_parameters: Float32Array): void {
    // There is nothing to take.
  }

  penalty(): number {
    return 0;
  }

  unload(): void {
    // There is nothing to free.
  }
}

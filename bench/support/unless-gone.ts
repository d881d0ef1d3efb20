/** What is read of a process, a descriptor, a file; null: it is no longer there. @throws whatever else goes wrong */
export async function unlessGone<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw thrown;
  }
}

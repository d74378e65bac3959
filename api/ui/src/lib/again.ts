/** again does something that failed once more, a moment later, unless nobody wants it any more. */
export async function again<T>(what: () => Promise<T>, signal?: AbortSignal, afterMs = 400): Promise<T> {
  try {
    return await what();
  } catch (err) {
    if (signal?.aborted) throw err;
    await new Promise((done) => setTimeout(done, afterMs));
    if (signal?.aborted) throw err;
    return what();
  }
}

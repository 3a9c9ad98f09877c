/**
 * Imports a view, and Ink with it, with two traps closed: React picks its slow development build unless NODE_ENV is set before it is loaded, and the
 * layout engine's loader touches the global `fetch`, which would load the whole of Node's HTTP client (20 ms).
 */
export async function loadView<T>(load: () => Promise<T>): Promise<T> {
  process.env.NODE_ENV ??= 'production';
  const hidden = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  if (hidden?.configurable === true) Reflect.deleteProperty(globalThis, 'fetch');
  try {
    return await load();
  } finally {
    if (hidden?.configurable === true) Object.defineProperty(globalThis, 'fetch', hidden);
  }
}

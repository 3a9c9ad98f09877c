// `import()` of a module that is there already still costs 30 µs, and three of them came with each check.
let net: Promise<typeof import('node:net')> | null = null;
let tls: Promise<typeof import('node:tls')> | null = null;

/** `node:net`, loaded when it is first needed. */
export function netModule(): Promise<typeof import('node:net')> {
  net ??= import('node:net');
  return net;
}

/** `node:tls`, loaded when it is first needed. */
export function tlsModule(): Promise<typeof import('node:tls')> {
  tls ??= import('node:tls');
  return tls;
}

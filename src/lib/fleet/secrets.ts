/**
 * A secret by reference: `${env:X}`, `${file:X}` or `${exec:…}`. It prints and serializes as the reference, so that it can be logged;
 * only SecretVault.reveal gives the value.
 */
export type SecretRef = {readonly source: 'env' | 'file' | 'exec'; readonly name: string; toString(): string; toJSON(): string};

/** Reveals secrets at the moment of use, and takes revealed values out of any text. */
export type SecretVault = {
  /** Throws RegionctlError `secret-missing` (exit 78), naming the reference, never a value. */
  reveal(ref: SecretRef): Promise<string>;
  /** `text` with every value revealed so far replaced by `•••`. */
  scrub(text: string): string;
};

const SHORTEST = 4;
const MARK = '•••';
/** A live view has the same sentences looked through again and again: so many that were asked for last are known, and up to twice as many. */
const [MOST_KNOWN, LONGEST_KNOWN] = [1000, 500];

/**
 * Takes values out of text: as they are, URL-encoded, escaped as in JSON, and in base64, also when the base64 is of a longer text such as
 * `user:password`. Values under four characters are left, because taking them out would spoil every text.
 */
export function scrubber() {
  const forms = new Set<string>();
  // Made anew when it is needed: many values are added one after the other.
  let longestFirst: readonly string[] | null = [];
  let known = new Map<string, string>();
  // Those of before, as long as they are asked for: were all forgotten at once, a picture of one sentence more than there is room for would be made anew each time.
  let older = new Map<string, string>();
  const clean = (text: string): string => {
    longestFirst ??= [...forms].toSorted((a, b) => b.length - a.length);
    return longestFirst.reduce((left, form) => left.replaceAll(form, MARK), text);
  };
  return {
    add(value: string): void {
      if (value.length < SHORTEST || forms.has(value)) return;
      for (const form of formsOf(value)) forms.add(form);
      longestFirst = null;
      known.clear();
      older.clear();
    },
    scrub: (text: string): string => {
      if (forms.size === 0) return text;
      if (text.length > LONGEST_KNOWN) return clean(text);
      const before = known.get(text);
      if (before !== undefined) return before;
      if (known.size >= MOST_KNOWN) [known, older] = [new Map(), known];
      const without = older.get(text) ?? clean(text);
      known.set(text, without);
      return without;
    },
  };
}

function formsOf(value: string): readonly string[] {
  const encoded = encodeURIComponent(value.toWellFormed());
  const form = encoded.replaceAll('%20', '+');
  return [value, encoded, form, JSON.stringify(value).slice(1, -1), ...base64Forms(value)].filter((text) => text.length >= SHORTEST);
}

/** Base64 depends on where the value begins within the encoded text: three alignments, each without the characters that its neighbours share. */
function base64Forms(value: string): readonly string[] {
  const whole = Buffer.from(value).toString('base64');
  const inner = [0, 1, 2].map((shift) => {
    const text = Buffer.from(`${'\0'.repeat(shift)}${value}`);
    const shared = text.length % 3 === 0 ? 0 : 1;
    return text
      .toString('base64')
      .replace(/=+$/, '')
      .slice(shift === 0 ? 0 : shift + 1, shared === 0 ? undefined : -shared);
  });
  const forms = [whole, whole.replace(/=+$/, ''), ...inner.filter((text) => text.length >= 6)];
  return forms.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** A URL for people and logs: without user and password, and without the values of its query, which may hold a token. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return 'a URL that cannot be read';
  const {protocol, host, pathname, searchParams} = new URL(url);
  const names = [...new Set(searchParams.keys())].map((name) => `${name}=…`).join('&');
  return `${protocol}//${host}${pathname}${names === '' ? '' : `?${names}`}`;
}

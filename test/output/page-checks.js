// Runs in the page that is looked at: `checks.NAME()` gives what is wrong with it.

globalThis.checks = {contrasts, tooWide, unreadable, cutByPaper};

/** The contrast (WCAG 2.1) of every text, and of every bar of a picture, with what is behind it. */
function contrasts() {
  const isText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
  const texts = [...document.body.querySelectorAll('*')].filter((element) => isShown(element) && isText(element));
  const bars = [...document.querySelectorAll('svg rect, svg path')].filter(
    (element) => isShown(element) && !element.matches('.band, .track, .verdict *') && element.getAttribute('width') !== '0',
  );
  return {
    texts: texts.map((element) => contrast(element, element instanceof SVGElement ? 'fill' : 'color')),
    bars: bars.map((element) => contrast(element, 'fill')),
  };
}

function contrast(element, property) {
  const ground = behind(element);
  const [high, low] = [over(colourOf(getComputedStyle(element)[property]), ground), ground].map(luminance).sort((a, b) => b - a);
  return {what: nameOf(element), ratio: (high + 0.05) / (low + 0.05)};
}

function colourOf(text) {
  const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/gu) ?? []).map(Number);
  return [r, g, b, text === 'none' ? 0 : a];
}

function over([r, g, b, a], below) {
  return [...[r, g, b].map((value, i) => value * a + below[i] * (1 - a)), 1];
}

function behind(element) {
  if (element === null) return [255, 255, 255, 1];
  const own = colourOf(getComputedStyle(element).backgroundColor);
  return own[3] === 1 ? own : over(own, behind(element.parentElement));
}

function luminance([r, g, b]) {
  const light = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
}

/** What reaches over the right edge of the page. */
function tooWide() {
  const width = document.documentElement.clientWidth;
  const wide = [...document.body.querySelectorAll('*')].filter((element) => {
    const head = element.closest('thead');
    const isForReaders = head !== null && getComputedStyle(head).position === 'absolute';
    return !isForReaders && isShown(element) && element.getBoundingClientRect().right > width + 0.5;
  });
  const scrolled = document.documentElement.scrollWidth > width ? [`the page is ${document.documentElement.scrollWidth} wide`] : [];
  return [...scrolled, ...wide.map(nameOf)];
}

/** What a screen reader would miss. */
function unreadable() {
  const all = (selector, of = document) => [...of.querySelectorAll(selector)];
  const ids = all('[id]').map(({id}) => id);
  const rules = {
    'no language, no title or not one h1': document.documentElement.lang === 'en' && document.title !== '' && all('h1').length === 1,
    'a part without heading': all('section').every(
      (section) => section.querySelector(`#${section.getAttribute('aria-labelledby')}`)?.tagName === 'H2',
    ),
    'a column without scope': all('thead th').every((cell) => cell.scope === 'col'),
    'a row without heading': all('tbody tr').every((row) => row.querySelector('th[scope=row]') !== null),
    'a picture without title': all('svg').every(
      (svg) => svg.matches('[aria-hidden=true]') || svg.querySelector(':scope > title')?.textContent,
    ),
    'a time line without description': all('svg.line').every((svg) => svg.querySelector('desc')?.textContent),
    'an id that is there twice': new Set(ids).size === ids.length,
    'a link to nowhere': all('nav a').every((link) => ids.includes(link.hash.slice(1))),
  };
  return Object.keys(rules).filter((name) => !rules[name]);
}

/** What paper would cut. */
function cutByPaper() {
  const whole = [...document.querySelectorAll('tr, svg.line, .verdict, .tiles, .list li')];
  return whole.filter((element) => getComputedStyle(element).breakInside !== 'avoid').map(nameOf);
}

function isShown(element) {
  return element.getClientRects().length > 0 && !/^(title|desc|style)$/iu.test(element.tagName);
}

function nameOf(element) {
  return `${element.tagName} ${element.getAttribute('class') ?? ''} "${element.textContent.slice(0, 30)}"`;
}

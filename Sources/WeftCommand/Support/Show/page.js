(() => {
'use strict';
const all = [...document.querySelectorAll('article.doc')];

// ---- Highlights: what belongs to the thing under the pointer or in focus.

let lit = null;
function light(target) {
  const item = target?.closest?.('.r,.arc,dd,.event,.s') ?? null;
  if (item === lit) return;
  for (const old of document.querySelectorAll('.on,.hot')) old.classList.remove('on', 'hot');
  lit = item;
  if (!item) return;
  const article = item.closest('article');
  const rows = [...article.querySelectorAll('.r')];
  const marksOf = element => element.dataset.s.split(' ');
  const isSpan = item.matches('.s');
  const row = item.matches('.arc') ? rows[item.dataset.r] : item;
  const marks = new Set(marksOf(row));
  const chosen = rows.filter(r => r === row || isSpan && marksOf(r).some(mark => marks.has(mark)));
  if (isSpan) for (const r of chosen) marksOf(r).forEach(mark => marks.add(mark));
  for (const s of article.querySelectorAll('.s')) s.classList.toggle('on', marks.has(s.dataset.s));
  for (const r of chosen) r.classList.add('on');
  for (const arc of article.querySelectorAll('.arc'))
    arc.classList.toggle('on', chosen.includes(rows[arc.dataset.r]));
  for (const dd of article.querySelectorAll('dd')) if (isSpan || item === dd)
    dd.classList.toggle('on', marks.has(dd.dataset.s));
  if (item.matches('.event')) item.classList.add('on');
  article.classList.toggle('hot', chosen.length > 0);
}
document.addEventListener('pointerover', event => light(event.target));
document.addEventListener('focusin', event => light(event.target));
document.addEventListener('focusout', () => light(null));

// ---- The filter: documents that hold the words and every chosen label.

const search = document.querySelector('aside input');
const count = document.querySelector('aside .count'), total = count.textContent;
const labels = [...document.querySelectorAll('aside button')];
const words = new Map();
const wordsOf = article => {
  if (!words.has(article)) words.set(article, article.textContent.toLowerCase());
  return words.get(article);
};
function filter() {
  const text = search.value.trim().toLowerCase();
  const chosen = labels.filter(label => label.ariaPressed === 'true').map(label => label.dataset.k);
  let shown = 0;
  for (const article of all) {
    const has = (article.dataset.k ?? '').split(' ');
    article.hidden = !(chosen.every(label => has.includes(label)) && (!text || wordsOf(article).includes(text)));
    if (!article.hidden) shown += 1;
  }
  count.textContent = text || chosen.length ? shown + ' of ' + all.length + ' shown' : total;
}
let pause = 0;
search.hidden = false;
search.ariaLabel = search.placeholder;
search.addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(filter, 150); });
for (const label of labels) {
  label.disabled = false;
  label.addEventListener('click', () => {
    label.ariaPressed = label.ariaPressed === 'true' ? 'false' : 'true';
    filter();
  });
}
})();

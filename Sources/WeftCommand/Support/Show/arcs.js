(() => {
'use strict';
const root = document.documentElement;
const main = document.querySelector('main');
const all = [...document.querySelectorAll('article.doc')];
const SVG = 'http://www.w3.org/2000/svg';
const LEVEL = 15, ROOM = 150, LANE = 7;  // pixels: between arcs, for all arcs of a line, between verticals

// ---- Arcs. Both ends on one line: an arc above it. Otherwise the arc runs above the subject's line to the
// margin, along the margin, and above the object's line to the object. Horizontals above a line are shared out so
// that none lies on another, and the line is moved down by the room they need.

const pen = document.createElement('canvas').getContext('2d');
const labelWidth = text => {
  pen.font = '600 11px ' + getComputedStyle(root).getPropertyValue('--ui');
  return pen.measureText(text).width + 10;
};

// Puts intervals into the lowest of the lanes in which they touch nothing; shorter ones first.
function pack(items, gap) {
  const lanes = [];
  for (const item of [...items].sort((a, b) => a.to - a.from - (b.to - b.from))) {
    let lane = 0;
    while (lanes[lane] && lanes[lane].some(o => o.from < item.to + gap && item.from < o.to + gap)) lane += 1;
    (lanes[lane] ||= []).push(item);
    item.lane = lane;
  }
  return lanes.length;
}

function draw(article) {
  const rows = [...article.querySelectorAll('.r')];
  const body = article.querySelector('.body'), text = body?.firstElementChild;
  if (!rows.length || body.matches('.plain')) return;
  body.querySelector('svg')?.remove();
  spreadEvenly(text, 0);
  const width = body.clientWidth;
  const margin = Math.min(14 + LANE * Math.min(rows.length, 9), Math.round(width * .12));
  // A margin only where an arc needs it.
  for (const gutter of [0, margin]) {
    text.style.setProperty('--gutter', gutter + 'px');
    const plan = lay(rows, body, text, width, gutter);
    if (gutter === margin || plan.arcs.every(arc => arc.margin === undefined)) return paint(rows, body, text, plan);
  }
}

// Finds places and lanes for all arcs, without changing anything.
function lay(rows, body, text, width, gutter) {
// Where the spans are now.
  const frame = body.getBoundingClientRect();
  const { top, height } = text.getBoundingClientRect();
  // Browsers round a line's height, which after hundreds of lines would tell.
  const lines = Math.max(1, Math.round(height / parseFloat(getComputedStyle(text).lineHeight)));
  const pitch = height / lines;
  let inset = 0;
  const parts = new Map(), found = new Map();
  for (const part of text.querySelectorAll('.s')) {
    if (!parts.has(part.dataset.s)) parts.set(part.dataset.s, []);
    parts.get(part.dataset.s).push(part);
  }
  const places = mark => {
    if (!found.has(mark)) {
      const list = [];
      for (const part of parts.get(mark) ?? [])
        for (const box of part.getClientRects()) {
          if (box.width < 1) continue;
          const line = Math.floor((box.top + 3 - top) / pitch);
          inset = box.top - top - line * pitch;
          list.push({ line, from: box.left - frame.left, to: box.right - frame.left });
        }
      found.set(mark, list);
    }
    return found.get(mark);
  };

  // Of a span on several lines, the part that is nearest to the other end.
  const arcs = [];
  for (const row of rows) {
    const [subject, object] = row.dataset.s.split(' ');
    let best = null;
    for (const s of places(subject)) for (const o of places(object)) {
      const far = Math.abs(s.line - o.line) * 1e5 + Math.abs(s.from + s.to - o.from - o.to);
      if (!best || far < best.far) best = { far, s, o };
    }
    if (!best) continue;
    const predicate = row.querySelector('.p');
    arcs.push({ row, mark: [subject, object], ends: [best.s, best.o], label: predicate.textContent,
      look: [...predicate.classList].slice(1).join(' '), x: [0, 0] });
  }

  // Ends that share a span stand side by side on it, those that go left on the left.
  const shared = new Map();
  for (const arc of arcs) arc.ends.forEach((end, side) => {
    const other = arc.ends[1 - side];
    const key = arc.mark[side] + ':' + end.line + ':' + end.from;
    const toward = other.line === end.line ? (other.from + other.to) / 2 : width * 2 - (end.from + end.to) / 2;
    if (!shared.has(key)) shared.set(key, []);
    shared.get(key).push({ arc, side, end, toward });
  });
  for (const ends of shared.values()) {
    ends.sort((a, b) => a.toward - b.toward);
    ends.forEach(({ arc, side, end }, i) => {
      arc.x[side] = end.from + (end.to - end.from) * (i + 1) / (ends.length + 1);
    });
  }

  // Verticals in the margin.
  const crossing = arcs.filter(arc => arc.ends[0].line !== arc.ends[1].line);
  for (const arc of crossing) {
    arc.from = Math.min(arc.ends[0].line, arc.ends[1].line);
    arc.to = Math.max(arc.ends[0].line, arc.ends[1].line);
  }
  const verticals = pack(crossing, 0.1);
  const spread = Math.min(LANE, (gutter - 6) / Math.max(verticals, 1));
  for (const arc of crossing) arc.margin = width - gutter + 6 + spread * arc.lane;

  // Horizontals above each line, as wide as what they carry.
  const runs = new Map();
  const run = (arc, line, from, to) => {
    const item = { arc, from, to };
    if (!runs.has(line)) runs.set(line, []);
    runs.get(line).push(item);
    return item;
  };
  for (const arc of arcs) {
    const [s, o] = arc.ends, size = labelWidth(arc.label);
    const inside = x => Math.min(Math.max(x, size / 2), Math.max(width - size / 2, size / 2));
    if (arc.margin === undefined) {
      const from = Math.min(...arc.x), to = Math.max(...arc.x);
      arc.at = inside((from + to) / 2);
      arc.runs = [run(arc, s.line, Math.min(from, arc.at - size / 2), Math.max(to, arc.at + size / 2))];
    } else {
      arc.at = inside(Math.min(arc.x[0] + 6 + size / 2, arc.margin - 4 - size / 2));
      arc.runs = [run(arc, s.line, Math.min(arc.x[0], arc.at - size / 2), Math.max(arc.margin, arc.at + size / 2)),
        run(arc, o.line, Math.min(arc.x[1], arc.margin), Math.max(arc.x[1], arc.margin))];
    }
  }
  // The room that each line needs above it.
  const rooms = Array(lines).fill(0);
  const levels = [...runs].map(([line, items]) => [line, pack(items, 3)]);
  const step = Math.min(LEVEL, ROOM / Math.max(1, ...levels.map(([, count]) => count)));
  for (const [line, count] of levels) rooms[line] = Math.ceil(count * step + 5);
  return { arcs, rooms, step, pitch, inset };
}

function paint(rows, body, text, { arcs, rooms, step, pitch, inset }) {
  const isSpread = spread(text, rooms, pitch, inset);
  if (!isSpread) spreadEvenly(text, Math.max(...rooms));
  const box = text.getBoundingClientRect(), even = box.height / rooms.length;
  let top = box.top - body.getBoundingClientRect().top + inset;
  const tops = rooms.map((room, line) => isSpread
    ? (top += room) + line * pitch
    : top + line * even + (even - pitch) / 2);  // of a line's height half is below it
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const add = (parent, name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return parent.appendChild(element);
  };
  for (const arc of arcs) {
    const foot = arc.ends.map(end => tops[end.line] - 1);
    const y = arc.runs.map((item, i) => foot[i] - 4 - step * (item.lane + .5));
    const [x0, x1] = arc.x;
    const points = arc.margin === undefined
      ? [[x0, foot[0]], [x0, y[0]], [x1, y[0]], [x1, foot[1] - 4]]
      : [[x0, foot[0]], [x0, y[0]], [arc.margin, y[0]], [arc.margin, y[1]], [x1, y[1]], [x1, foot[1] - 4]];
    const path = rounded(points);
    const group = add(svg, 'g', { class: 'arc ' + arc.look, 'data-r': rows.indexOf(arc.row) });
    add(group, 'path', { d: path });
    add(group, 'path', { d: path, class: 'hit' });
    add(group, 'path', { class: 'head', d: 'M' + x1 + ' ' + foot[1] + 'l-3.6 -6.5h7.2z' });
    add(group, 'text', { x: arc.at, y: y[0] }).textContent = arc.label;
  }
  for (const label of svg.querySelectorAll('text')) label.parentNode.parentNode.appendChild(label.parentNode);
  body.appendChild(svg);
  body.classList.toggle('long', body.offsetHeight > 850);
}

// ---- Room above lines.

// The same above every line; takes back what spread() did.
function spreadEvenly(text, room) {
  for (const strut of text.querySelectorAll('.strut')) strut.remove();
  text.normalize();
  text.style.setProperty('--arcs', room + 'px');
}

// Stands a strut, invisible and tied to what follows, at the start of each line that needs room.
// False if the lines did not stay as they were.
function spread(text, rooms, pitch, inset) {
  const top = text.getBoundingClientRect().top;
  const lineOf = box => Math.floor(((box.top + box.bottom) / 2 - top) / pitch);
  const range = document.createRange();
  const lineAt = (node, at) => {  // -1 for what has no box, as a space at a line's end
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    const box = range.getClientRects()[0];
    return box ? lineOf(box) : -1;
  };
  const starts = [];
  let line = -1;
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()];
    const last = Math.max(line, ...boxes.map(lineOf));
    while (line < last) {
      // The first character below the line so far.
      let low = 0, high = node.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (lineAt(node, middle) > line) high = middle; else low = middle + 1;
      }
      const found = lineAt(node, low);
      if (found <= line) return false;
      line = found;
      if (rooms[line]) starts.push({ node, at: low, line });
    }
  }
  if (starts.length !== rooms.filter(room => room).length) return false;
  const struts = [];
  for (const { node, at, line } of starts.reverse()) {  // from the end, so that places stay right
    const strut = document.createElement('i');
    strut.className = 'strut';
    strut.style.setProperty('--h', pitch - inset + rooms[line] + 'px');
    node.splitText(at).before(strut);
    struts.push([strut, line]);
  }
  // Browsers round a font's height; what struts are too tall or too short by is told by all of them.
  const wanted = rooms.reduce((sum, room) => sum + room, rooms.length * pitch);
  const surplus = text.getBoundingClientRect().height - wanted;
  if (Math.abs(surplus) > 4 * struts.length) return false;
  for (const [strut, line] of struts)
    strut.style.setProperty('--h', pitch - inset + rooms[line] - surplus / struts.length + 'px');
  let sum = 0;
  const above = rooms.map(room => sum += room);
  const feet = struts.map(([strut]) => strut.getBoundingClientRect().bottom - top);
  return Math.abs(text.getBoundingClientRect().height - wanted) < 2 && struts.every(([, line], i) => {
    const before = above[line] + line * pitch;
    return Math.abs(feet[i] - before - pitch / 2) < pitch / 2;
  });
}

// A path through points with its corners rounded.
function rounded(points) {
  let path = 'M' + points[0].join(' ');
  for (let i = 1; i < points.length - 1; i += 1) {
    const [[a, b], [x, y], [c, d]] = [points[i - 1], points[i], points[i + 1]];
    const before = Math.hypot(x - a, y - b), behind = Math.hypot(c - x, d - y);
    const r = Math.min(5, before / 2, behind / 2);
    if (r < .5) { path += 'L' + x + ' ' + y; continue; }
    path += 'L' + (x + (a - x) / before * r) + ' ' + (y + (b - y) / before * r)
      + 'Q' + x + ' ' + y + ' ' + (x + (c - x) / behind * r) + ' ' + (y + (d - y) / behind * r);
  }
  return path + 'L' + points[points.length - 1].join(' ');
}

// Only what is near the window is drawn, and drawn again when its width has changed.
const near = new Set(), fresh = new Set();
function refresh() {
  for (const article of near) if (!fresh.has(article)) { fresh.add(article); draw(article); }
}
const watcher = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) near[isIntersecting ? 'add' : 'delete'](target);
  refresh();
}, { rootMargin: '500px' });
for (const article of all) if (article.querySelector('.r')) watcher.observe(article);
let known = main.clientWidth, printing = false;
new ResizeObserver(() => {
  if (printing || main.clientWidth === known) return;
  known = main.clientWidth;
  fresh.clear();
  refresh();  // before the browser paints
}).observe(main);
addEventListener('beforeprint', () => {
  printing = true;
  root.classList.add('printing');
  for (const article of all) if (!article.hidden) draw(article);
});
addEventListener('afterprint', () => {
  root.classList.remove('printing');
  printing = false;
  fresh.clear();
  refresh();
});
})();

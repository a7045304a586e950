// The document's elements: made once, then changed only where they differ. Text is only ever text.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function by(id) { return document.getElementById(id); }

function put(element, text) { if (element.textContent !== text) element.textContent = text; }

function mark(element, name, value) {
  if (value === null) { if (element.hasAttribute(name)) element.removeAttribute(name); }
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function show(element, visible) { if (element.hidden === visible) element.hidden = !visible; }

// A badge: a sign and a word, so that no colour has to tell it.
function badge() {
  const sign = make("span", { class: "sign", "aria-hidden": "true" });
  const word = make("span");
  const element = make("span", { class: "badge" }, sign, word);
  element.tell = (level, text) => {
    mark(element, "data-level", level);
    put(sign, WORDS[level][0]);
    put(word, text);
  };
  return element;
}

// A name that may be long, with places to break it.
function nameOf(text) {
  const element = make("span", { class: "name" });
  for (const part of text.split(/(?<=[/.])/)) element.append(part, make("wbr"));
  return element;
}

// The two times that half, and all but one of a hundred, stay within.
function times() {
  const p50 = make("span", { class: "p50" }), p99 = make("span", { class: "p99" });
  const element = make("span", { class: "number" }, p50, " · ", p99);
  element.tell = series => { put(p50, taken(series.newest("p50"))); put(p99, taken(series.newest("p99"))); };
  return element;
}

function cell(label, ...children) { return make("td", { role: "cell", "data-label": label }, ...children); }

// A table's rows: as many as are asked for, in the order given, each made when it is first seen.
function Rows(id, row, refresh) {
  const body = by(id).tBodies[0];
  const more = by(`${id}-more`);
  const counted = by(`${id}-count`);
  const made = new Map();
  let most = STEP;
  more.addEventListener("click", () => {
    const next = most;
    most += STEP;
    draw();
    body.rows[next]?.cells[0].focus();
  });

  this.fill = (names, all) => {
    const shown = names.slice(0, most);
    const wanted = new Set(shown);
    for (const [name, one] of made) if (!wanted.has(name)) { one.remove(); made.delete(name); }
    shown.forEach((name, place) => {
      let one = made.get(name);
      if (!one) made.set(name, one = row(name));
      if (body.rows[place] !== one) body.insertBefore(one, body.rows[place] || null);
      refresh(one, name);
    });
    const left = names.length - shown.length;
    show(more, left > 0);
    if (left > 0) put(more, `Show ${whole(Math.min(STEP, left))} more of ${whole(left)}`);
    put(counted, names.length === all ? whole(all) : `${whole(names.length)} of ${whole(all)}`);
  };
}
const STEP = 25;

const ICONS = { failing: "%23d93025", at_risk: "%23e08a00", starting: "%234a80c4", well: "%232e8b57", offline: "%23808080" };
function icon(level) {
  const shape = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='${ICONS[level]}'/></svg>`;
  mark(by("icon"), "href", `data:image/svg+xml,${shape}`);
}

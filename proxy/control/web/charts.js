// Small charts of the last two minutes, each with what it shows as text.

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 240, HIGH = 36;

function chart(kinds) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("role", "img");
  picture.setAttribute("class", "chart");
  const axis = document.createElementNS(SVG, "path");
  axis.setAttribute("class", "axis");
  axis.setAttribute("d", `M0 ${HIGH - 0.5}h${WIDE}`);
  picture.append(axis);
  const lines = kinds.map(kind => {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", kind);
    picture.append(line);
    return line;
  });
  picture.tell = (label, most, ...values) => {
    mark(picture, "aria-label", label);
    lines.forEach((line, i) => mark(line, "d", kinds[i].startsWith("bars") ? bars(values[i], most) : curve(values[i], most)));
  };
  return picture;
}

const WIDTH = WIDE / HISTORY;

function left(i, count) { return (HISTORY - count + i) * WIDTH; }
function height(value, most) { return Math.min(1, value / most) * (HIGH - 2); }

function bars(values, most) {
  let path = "";
  values.forEach((value, i) => {
    if (!value) return;
    const up = Math.max(1, height(value, most));
    path += `M${left(i, values.length).toFixed(1)} ${HIGH}v${-up.toFixed(1)}h${(WIDTH - 0.4).toFixed(1)}v${up.toFixed(1)}z`;
  });
  return path;
}

function curve(values, most) { // broken where there was nothing to measure
  let path = "", drawn = false;
  values.forEach((value, i) => {
    if (Number.isNaN(value)) { drawn = false; return; }
    const x = left(i, values.length) + WIDTH / 2, y = HIGH - 1 - height(Math.min(value, most), most);
    path += `${drawn ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (!drawn) path += "h0.6";
    drawn = true;
  });
  return path;
}

function highest(...all) {
  let most = 0;
  for (const values of all) for (const value of values) if (value > most && value !== Infinity) most = value;
  return most || 1;
}

function drawRates(picture, series) {
  const rates = series.last("rate"), failed = series.last("failed");
  const most = highest(rates);
  const label = `Requests in the last 2 minutes: now ${rate(series.usual())}, at most ${rate(most === 1 && !rates.some(Boolean) ? 0 : most)}, ${many(series.lately("failed", HISTORY), "failed", "failed")} here`;
  picture.tell(label, most, rates, failed);
}

function drawTaken(picture, series) {
  const p50 = series.last("p50"), p99 = series.last("p99");
  const label = `Time taken in the last 2 minutes: half within ${taken(series.newest("p50"))} now, 99 of 100 within ${taken(series.newest("p99"))}`;
  picture.tell(label, highest(p99), p99, p50);
}

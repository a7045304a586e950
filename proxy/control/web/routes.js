// The table of routes. Its order changes when one begins or ceases to fail, not with every tick.

const routeRows = new Rows("routes", routeRow, refreshRoute);
const RESORT = 5000; // milliseconds
let busiest = { at: 0, order: new Map() };

function routeRow(label) {
  const row = make("tr", { role: "row" });
  const p = row.parts = {
    rate: make("span", { class: "number" }), rates: chart(["bars", "bars bad"]),
    taken: times(), times: chart(["line p99", "line p50"]),
    failed: make("p"), why: make("p", { class: "advice" }),
    sum: make("p"), statuses: make("p", { class: "quiet small" }),
  };
  row.append(
    make("th", { role: "rowheader", scope: "row", tabindex: "-1" }, nameOf(label || "no route")),
    cell("Requests", p.rate, p.rates), cell("Time taken", p.taken, p.times),
    cell("Failed here", p.failed, p.why), cell("Since the start", p.sum, p.statuses),
  );
  return row;
}

function refreshRoute(row, label) {
  const { said, series } = known.routes.get(label);
  const p = row.parts, failed = series.lately("failed", HISTORY);
  mark(row, "data-level", series.lately("failed", LATELY) ? "at_risk" : "well");
  put(p.rate, rate(series.usual()));
  p.taken.tell(series);
  drawRates(p.rates, series);
  drawTaken(p.times, series);
  put(p.failed, failed ? `${whole(failed)} in 2 minutes` : "none");
  mark(p.failed, "class", failed ? null : "quiet");
  put(p.why, failed ? reasons(said).slice(0, 2).map(capital).join(" ") : "");
  put(p.sum, many(total(said.requests), "request", "requests"));
  put(p.statuses, [
    ...Object.entries(said.requests).map(([status, n]) => `${status === "0" ? "left" : status}: ${whole(n)}`),
    said.in_flight ? `${whole(said.in_flight)} in flight` : null,
    said.replays ? `${whole(said.replays)} sent again after a 401` : null,
  ].filter(Boolean).join(" · "));
}

// What its errors mean, the most frequent first.
function reasons(said) {
  const meanings = known.process.error_meanings || {};
  return Object.entries(said.errors).filter(([kind]) => !meanings[kind]?.client).sort((a, b) => b[1] - a[1])
    .map(([kind]) => meanings[kind] ? `${meanings[kind].meaning}: ${meanings[kind].advice}` : kind);
}

function drawRoutes() {
  const wanted = by("routes-filter").value.trim().toLowerCase(), order = by("routes-order").value;
  const names = [...known.routes.keys()].filter(label => label.toLowerCase().includes(wanted));
  const place = ORDERS[order]();
  names.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  routeRows.fill(names, known.routes.size);
}

const ORDERS = {
  name: () => () => 0,
  worst: () => label => (known.routes.get(label).series.lately("failed", HISTORY) ? 0 : 1),
  busiest: () => {
    if (Date.now() - busiest.at > RESORT) {
      const rated = [...known.routes].sort((a, b) => b[1].series.usual() - a[1].series.usual());
      busiest = { at: Date.now(), order: new Map(rated.map(([label], i) => [label, i])) };
    }
    return label => busiest.order.get(label) ?? Infinity;
  },
};

// A route where requests failed within the last minute is a trouble that only who watches can see.
function routeTroubles() {
  const found = [];
  for (const [label, { said, series }] of known.routes) {
    const failed = series.lately("failed", LATELY);
    if (failed) found.push({ label, failed, why: reasons(said)[0] || "see the log" });
  }
  if (!found.length) return [];
  found.sort((a, b) => b.failed - a.failed);
  const sum = found.reduce((all, one) => all + one.failed, 0), first = found[0];
  const where = found.length === 1 ? first.label || "no route" : many(found.length, "route", "routes");
  const [meaning, ...advice] = first.why.split(": ");
  return [{ level: "at_risk", says: `${many(sum, "request", "requests")} failed here within a minute, on ${where}: ${meaning}`,
    advice: advice.join(": "), detail: "", since: null }];
}

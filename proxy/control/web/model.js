// What is known of the sidecar, and how busy each route was lately. Knows no document.

const HISTORY = 120; // ticks that charts show, about a second each
const WINDOW = 10; // ticks over which the times taken are judged
const LATELY = 60; // ticks after which a failed request is no trouble any more

const known = { process: {}, credentials: new Map(), routes: new Map(), all: new Series(), at: null, ahead: 0 };

// Seconds since the epoch by the sidecar's clock.
function now() { return Date.now() / 1000 - known.ahead; }

// One number a tick of the last two minutes, for each of a few measures.
function Series() {
  this.rate = new Float32Array(HISTORY);
  this.failed = new Float32Array(HISTORY);
  this.p50 = new Float32Array(HISTORY).fill(NaN);
  this.p99 = new Float32Array(HISTORY).fill(NaN);
  this.filled = 0;
  this.next = 0;
  this.window = [];
}

Series.prototype.push = function (requests, failed, buckets, took) {
  this.window.push(buckets);
  if (this.window.length > WINDOW) this.window.shift();
  const at = this.next;
  this.rate[at] = requests / took;
  this.failed[at] = failed;
  [this.p50[at], this.p99[at]] = quantiles(this.window, [0.5, 0.99]);
  this.next = (at + 1) % HISTORY;
  this.filled = Math.min(HISTORY, this.filled + 1);
};

// The last ones, oldest first.
Series.prototype.last = function (measure, ticks = HISTORY) {
  const count = Math.min(ticks, this.filled);
  return Array.from({ length: count }, (_, i) => this[measure][(this.next - count + i + HISTORY) % HISTORY]);
};
Series.prototype.newest = function (measure) {
  return this.filled ? this[measure][(this.next - 1 + HISTORY) % HISTORY] : NaN;
};
Series.prototype.lately = function (measure, ticks) {
  return this.last(measure, ticks).reduce((sum, one) => sum + one, 0);
};
Series.prototype.usual = function () { // the mean rate of the window
  const last = this.last("rate", WINDOW);
  return last.length ? last.reduce((sum, one) => sum + one, 0) / last.length : 0;
};

const NOTHING = new Map();

// Estimates by straight lines inside the buckets, as Prometheus makes them; NaN without requests.
function quantiles(window, wanted) {
  const sum = new Map();
  let total = 0;
  for (const buckets of window)
    for (const [upTo, count] of buckets) { sum.set(upTo, (sum.get(upTo) || 0) + count); total += count; }
  const sorted = [...sum].sort((a, b) => a[0] - b[0]);
  return wanted.map(q => {
    let before = 0;
    for (const [upTo, count] of sorted) {
      if (before + count >= q * total) {
        const from = below(upTo);
        return upTo === Infinity ? Infinity : from + (upTo - from) * (q * total - before) / count;
      }
      before += count;
    }
    return NaN;
  });
}

const BOUNDS = [0, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
function below(upTo) { return upTo === Infinity ? 60 : BOUNDS[BOUNDS.indexOf(upTo) - 1] ?? 0; }

function buckets(said) {
  return new Map(Object.entries(said.latency).map(([upTo, n]) => [upTo === "+Inf" ? Infinity : +upTo, n]));
}

function failures(said) { // those that are not the client's own doing
  const meanings = known.process.error_meanings || {};
  return Object.entries(said.errors).reduce((sum, [kind, n]) => sum + (meanings[kind]?.client ? 0 : n), 0);
}

function total(counts) { return Object.values(counts).reduce((sum, n) => sum + n, 0); }

// A document, or what changed of one, and then what that means for every route.
function learn(said, whole) {
  const at = seconds(said.at);
  const took = known.at === null ? 1 : Math.max(0.2, at - known.at);
  known.ahead = Date.now() / 1000 - at;
  const { credentials, routes, gone, ...rest } = said;
  if (whole) {
    known.process = rest;
    for (const name of known.credentials.keys()) if (!(name in credentials)) known.credentials.delete(name);
    for (const label of known.routes.keys()) if (!(label in routes)) known.routes.delete(label);
  } else {
    Object.assign(known.process, rest);
    for (const name of gone.process) delete known.process[name];
    for (const name of gone.credentials) known.credentials.delete(name);
    for (const label of gone.routes) known.routes.delete(label);
  }
  for (const [name, one] of Object.entries(credentials)) known.credentials.set(name, credential(one, at));
  count(routes, took);
  known.at = at;
}

function credential(said, at) {
  const ends = said.expires_in_seconds === null ? null : at + said.expires_in_seconds;
  const due = said.next_renewal_in_seconds === null ? null : at + said.next_renewal_in_seconds;
  return { said, ends, due };
}

function count(routes, took) {
  const all = { requests: 0, failed: 0, buckets: new Map() };
  for (const label of Object.keys(routes))
    if (!known.routes.has(label)) known.routes.set(label, { said: null, series: new Series() });
  for (const [label, route] of known.routes) {
    const said = routes[label];
    const more = said && route.said ? difference(said, route.said) : null;
    if (said) route.said = said;
    if (known.at === null) continue;
    route.series.push(more ? more.requests : 0, more ? more.failed : 0, more ? more.buckets : NOTHING, took);
    if (!more) continue;
    all.requests += more.requests;
    all.failed += more.failed;
    for (const [upTo, n] of more.buckets) all.buckets.set(upTo, (all.buckets.get(upTo) || 0) + n);
  }
  if (known.at !== null) known.all.push(all.requests, all.failed, all.buckets, took);
}

// Nothing where the totals went back: the process began anew.
function difference(said, before) {
  const requests = total(said.requests) - total(before.requests);
  if (requests < 0) return null;
  const earlier = buckets(before);
  const more = new Map();
  for (const [upTo, n] of buckets(said)) if (n > (earlier.get(upTo) || 0)) more.set(upTo, n - (earlier.get(upTo) || 0));
  return { requests, failed: Math.max(0, failures(said) - failures(before)), buckets: more };
}

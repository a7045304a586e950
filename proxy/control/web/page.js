// The sentence on top, the numbers of all, and what else is worth knowing.

const allRates = chart(["bars", "bars bad"]), allTaken = chart(["line p99", "line p50"]);
const allTimes = times();
by("taken").append(allTimes);
by("rate-chart").append(allRates);
by("taken-chart").append(allTaken);

const link = { since: null, ended: false }; // since: no news since then, by the browser's clock
let spoken = { at: 0, text: "" };

// The worst of what the sidecar says of itself, what its routes show, and whether it is there at all.
function verdictNow() {
  const own = known.process.verdict;
  const lost = { level: "offline", since: link.since, says: link.ended ? "The sidecar has ended" : "Not connected",
    advice: "What is shown below is from then; this page goes on by itself when the sidecar is back", troubles: [] };
  if (link.since !== null) return lost;
  if (!own) return null;
  const troubles = [...own.troubles, ...routeTroubles()];
  if (known.process.draining || !troubles.length) return { ...own, detail: "", troubles };
  const [first, ...others] = troubles;
  return { ...first, troubles: others };
}

function drawVerdict() {
  const found = verdictNow();
  if (!found) return;
  const since = typeof found.since === "number" ? found.since : seconds(found.since);
  const offline = found.level === "offline";
  mark(by("verdict"), "data-level", found.level);
  mark(document.body, "data-level", found.level);
  const says = offline ? `${found.says} ${link.ended ? "at" : "since"} ${moment(since)}` : found.says;
  put(by("sentence"), sentence(says));
  const passed = since === null ? 0 : (offline ? Date.now() / 1000 : now()) - since;
  put(by("since"), since === null ? quietWords(found) : offline ? `${span(passed)} ago` : `Since ${moment(since)}, for ${span(passed)}`);
  put(by("advice"), found.advice ? (offline ? sentence(found.advice) : `What to do: ${sentence(found.advice)}`) : "");
  put(by("detail"), found.detail ? sentence(found.detail) : "");
  drawTroubles(found.troubles);
  document.title = `${WORDS[found.level][0]} ${found.level === "well" ? "" : `${says} – `}token-sidecar`;
  icon(found.level);
  speak(sentence(says), found.advice);
}

function quietWords(found) {
  if (found.level !== "well") return "";
  const live = [...known.credentials.values()].filter(one => ["valid", "renewing"].includes(one.said.state)).length;
  return `${many(live, "credential has", "credentials have")} a live token; ${rate(known.all.usual()).replace("/s", "")} requests a second.`;
}

function drawTroubles(troubles) {
  const list = by("troubles");
  while (list.children.length > troubles.length) list.lastChild.remove();
  troubles.slice(0, MOST_TROUBLES).forEach((one, i) => {
    const item = list.children[i] || list.appendChild(make("li", {}, make("span", { class: "says" }), make("span")));
    mark(item, "data-level", one.level);
    put(item.firstChild, `${sentence(one.says)} `);
    put(item.lastChild, [one.detail ? sentence(one.detail) : "", one.since ? `Since ${moment(one.since)}.` : "", capital(one.advice)].filter(Boolean).join(" "));
  });
}
const MOST_TROUBLES = 20;

// A screen reader hears a new sentence, and not each of a storm.
function speak(text, advice) {
  if (text === spoken.text || Date.now() - spoken.at < QUIET) return;
  spoken = { at: Date.now(), text };
  put(by("spoken"), advice ? `${text} ${capital(advice)}` : text);
}
const QUIET = 10000;

function drawNumbers() {
  const { process, all } = known;
  put(by("rate"), rate(all.usual()));
  allTimes.tell(all);
  put(by("failed"), whole(all.lately("failed", HISTORY)));
  put(by("flight"), whole(process.in_flight));
  put(by("connections"), many(process.connections, "connection", "connections"));
  put(by("uptime"), span(now() - seconds(process.started)));
  put(by("started"), `since ${moment(process.started)}`);
  put(by("version"), process.version);
  put(by("file"), process.config);
  drawRates(allRates, all);
  drawTaken(allTaken, all);
}

// Titles with lines below them; made anew only when something is another.
let further = "";
function drawFurther() {
  const parts = worthKnowing().filter(([, lines]) => lines.length);
  const text = JSON.stringify(parts);
  if (text === further) return;
  further = text;
  by("further-parts").replaceChildren(...parts.map(([title, lines]) =>
    make("div", {}, make("h3", {}, title), make("ul", {}, ...lines.map(line => make("li", {}, line))))));
}

function worthKnowing() {
  const { warnings = [], reloads, secrets = [], workers = [], store } = known.process;
  return [
    ["Warnings", warnings],
    ["Store", [store === "ok" ? "usable" : store]],
    ["Configuration", reloads ? [
      `${many(reloads.applied, "reload", "reloads")} applied, ${whole(reloads.refused)} refused`,
      ...(reloads.last_success ? [`last applied ${moment(reloads.last_success)}`] : []), ...reloads.problems] : []],
    ["Secrets", secrets.map(one => `${one.place} (${one.credentials.join(", ")}): ${one.fault ? `fault: ${one.fault}`
      : one.changed_at ? `changed ${moment(one.changed_at)}` : "unchanged"}`)],
    ["Workers", workers.map(one => `process ${one.pid}: ${many(one.requests, "request", "requests")}, ${whole(one.in_flight)} in flight, ${many(one.connections, "connection", "connections")}`)],
  ];
}

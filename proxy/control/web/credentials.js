// The table of credentials, the worst first.

const credentialRows = new Rows("credentials", credentialRow, refreshCredential);

function credentialRow(name) {
  const row = make("tr", { role: "row" });
  const p = row.parts = {
    more: make("span", { class: "quiet small" }), badge: badge(),
    bar: make("div", { class: "meter", role: "meter", "aria-label": `age of the token of ${name}`, "aria-valuemin": 0 }, make("span")),
    left: make("span"), next: make("span"),
    error: make("p"), advice: make("p", { class: "advice" }), when: make("p", { class: "quiet small" }),
  };
  row.append(
    make("th", { role: "rowheader", scope: "row", tabindex: "-1" }, nameOf(name), p.more),
    cell("State", p.badge), cell("Token’s age", p.bar, p.left),
    cell("Next renewal", p.next), cell("Last error", p.error, p.advice, p.when),
  );
  return row;
}

function refreshCredential(row, name) {
  const { said, ends, due } = known.credentials.get(name);
  const p = row.parts;
  mark(row, "data-level", said.level);
  p.badge.tell(said.level, stateOf(said));
  put(p.more, [said.field === "access_token" ? null : said.field, said.callers === undefined ? null : many(said.callers, "caller", "callers"),
    said.lifetime_seconds ? `lives ${span(said.lifetime_seconds)}` : null,
    said.required ? "required" : null, many(said.renewals, "renewal", "renewals"),
    said.rejections ? `${whole(said.rejections)} rejected` : null].filter(Boolean).join(" · "));
  refreshAge(p, said, ends);
  put(p.next, nextOf(said, due));
  refreshError(p, said);
}

function nextOf(said, due) {
  if (said.callers !== undefined) return "–";
  if (said.state === "renewing" || (due !== null && due <= now())) return "now";
  if (due !== null) return `in ${span(due - now())}`;
  return said.field && said.lifetime_seconds === null ? "not needed" : "when it is used";
}

function stateOf(said) {
  if (said.callers !== undefined) return said.state === "unavailable" ? "some not served" : "for each caller";
  if (said.level === "at_risk") return "renewal fails";
  if (said.last_error?.reason === "login_needed" && said.state === "unavailable") return "login needed";
  return STATES[said.state] || said.state;
}

function refreshAge(p, said, ends) {
  const lives = said.lifetime_seconds;
  const has = ends !== null && lives > 0 && said.expires_in_seconds > 0;
  show(p.bar, has);
  if (!has) return put(p.left, said.field && lives === null ? "does not expire" : "–");
  const rest = Math.max(0, ends - now()), age = Math.min(lives, Math.max(0, lives - rest));
  p.bar.firstChild.style.width = `${(100 * age / lives).toFixed(1)}%`;
  mark(p.bar, "aria-valuemax", Math.round(lives));
  mark(p.bar, "aria-valuenow", Math.round(age));
  mark(p.bar, "aria-valuetext", `${span(age)} of ${span(lives)}`);
  put(p.left, `${span(rest)} left`);
}

function refreshError(p, said) {
  const error = said.last_error, present = said.failing_since !== null || (said.callers !== undefined && said.level !== "well");
  put(p.error, !error ? "none" : present ? capital(error.meaning || error.seen) : "");
  mark(p.error, "class", error ? null : "quiet");
  show(p.error, !error || present);
  show(p.advice, Boolean(error && present));
  show(p.when, Boolean(error));
  if (!error) return;
  put(p.advice, present ? capital(error.advice) : "");
  const detail = present && error.meaning ? `${error.seen}. ` : "";
  put(p.when, present ? `${detail}${said.failing_since ? `Since ${moment(said.failing_since)}, last` : "Last"} ${moment(error.at)}`
    : `over: ${error.seen}, ${moment(error.at)}`);
}

function drawCredentials() {
  const wanted = by("credentials-filter").value.trim().toLowerCase(), only = by("credentials-only").checked;
  const names = [...known.credentials.keys()].filter(name => name.toLowerCase().includes(wanted)
    && !(only && known.credentials.get(name).said.level === "well"));
  const badness = name => WORST_FIRST.indexOf(known.credentials.get(name).said.level);
  names.sort((a, b) => badness(a) - badness(b) || (a < b ? -1 : 1));
  credentialRows.fill(names, known.credentials.size);
}

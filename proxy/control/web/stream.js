// News once a second; without any for a while the sidecar counts as gone, and is asked for anew.

const SILENCE = 3500; // milliseconds
const AGAIN = 1500;
let source = null, heard = Date.now(), polling = false;

function draw() {
  if (known.at === null && link.since === null) return;
  drawVerdict();
  if (known.at === null) return;
  drawNumbers();
  drawCredentials();
  drawRoutes();
  drawFurther();
}

function told(said, complete) {
  heard = Date.now();
  link.since = null;
  link.ended = false;
  learn(said, complete);
  tellLink("well", polling ? "asking every 5 s" : "live");
  draw();
}

function tellLink(level, text) {
  mark(by("link"), "data-level", level);
  put(by("link"), text);
}

function lost(ended = false) {
  if (link.since === null) link.since = heard / 1000;
  link.ended = link.ended || ended;
  tellLink("offline", "not connected");
  draw();
}

function follow() {
  source?.close();
  source = new EventSource("/v1/events");
  source.addEventListener("whole", event => { polling = false; told(JSON.parse(event.data), true); });
  source.addEventListener("change", event => told(JSON.parse(event.data), false));
  source.addEventListener("end", () => { source.close(); heard = Date.now(); lost(true); setTimeout(follow, AGAIN); });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) { source.close(); poll(); }
    else lost();
  });
}

// Too many follow already, or nobody is there: the status by itself tells which.
async function poll() {
  try {
    const answer = await fetch("/v1/status", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    polling = true;
    told({ at: new Date().toISOString(), ...await answer.json() }, true);
    setTimeout(follow, 5000);
  } catch { lost(); setTimeout(follow, AGAIN); }
}

setInterval(() => {
  if (Date.now() - heard > (polling ? 8000 : SILENCE)) {
    if (link.since === null) lost();
    else drawVerdict();
    if (Date.now() - heard > 10000 && source?.readyState === EventSource.OPEN) { heard = Date.now() - 9000; follow(); }
  }
}, 1000);

for (const id of ["credentials-filter", "credentials-only", "routes-filter", "routes-order"])
  by(id).addEventListener("input", draw);
show(by("live"), true);
show(by("parts"), true);
tellLink("starting", "connecting");
follow();

"use strict";
// Numbers and moments as people read them.

const WORDS = {
  failing: ["✕", "failing"], at_risk: ["▲", "at risk"], starting: ["…", "starting"],
  well: ["✓", "well"], offline: ["⌁", "not connected"],
};
const WORST_FIRST = ["offline", "failing", "at_risk", "starting", "well"];

const STATES = {
  valid: "live token", renewing: "renewing", refused: "refused", unavailable: "no token",
  expired: "expired", empty: "not used yet",
};

function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60 ? `${s % 60} s` : ""}`.trim();
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

function taken(seconds) {
  if (seconds === null || Number.isNaN(seconds)) return "–";
  if (seconds === Infinity) return "> 60 s";
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

function rate(perSecond) {
  if (perSecond === 0) return "0/s";
  return `${perSecond < 10 ? perSecond.toFixed(1) : whole(Math.round(perSecond))}/s`;
}

const GROUPED = new Intl.NumberFormat("en");
function whole(number) { return GROUPED.format(number); }

function many(number, one, more) { return `${whole(number)} ${number === 1 ? one : more}`; }

// Today's moments by their time alone; seconds since the epoch, or RFC 3339.
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const DAY = { day: "numeric", month: "short" };
function moment(at) {
  const date = new Date(typeof at === "number" ? at * 1000 : at);
  const time = date.toLocaleTimeString("en", CLOCK);
  const today = new Date().toDateString() === date.toDateString();
  return today ? time : `${date.toLocaleDateString("en", DAY)}, ${time}`;
}

function seconds(at) { return at === null || at === undefined ? null : Date.parse(at) / 1000; }

function sentence(text) { return /[.!?…]$/.test(text) ? text : `${text}.`; }

// Words that begin small because they stand behind a colon elsewhere; addresses stay as they are.
function capital(text) {
  return sentence(/^https?:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1));
}

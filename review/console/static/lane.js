// The lane: a verdict posts while the next card is shown already; what is refused comes back in front with its draft.

import { active, add, cards, front, present, putBack, say, showFront, tell, unseen } from "./deck.js";
import { hideEffect, showEffect } from "./effect.js";
import { startKeys } from "./keys.js";

const AWAY_MS = 300_000;
const AGAIN_MS = 1_000;
const deck = document.getElementById("deck");
const undo = document.getElementById("undo");
const csrf = document.querySelector("meta[name=csrf]").content;
let posting = Promise.resolve();
let line = 0;

async function ask(address, options = {}) {
  const headers = { accept: "application/json", "x-csrf-token": csrf, ...options.headers };
  const response = await fetch(address, { ...options, headers });
  if (response.status === 401 || response.redirected) location.reload();
  return { status: response.status, ok: response.ok, ...(await response.json()) };
}

// Judging -------------------------------------------------------------------------------------------------------------

deck.addEventListener("submit", (event) => {
  event.preventDefault();
  const [form, button] = [event.target, event.submitter];
  if (button.dataset.words !== undefined && !form.rationale.value.trim()) return askForWords(form, button);
  judge(form.closest(".card"), form, button);
});

deck.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest("form.verdict");
  const asked = form && (form.querySelector("[data-asked]") ?? form.querySelector(".written button"));
  if (asked) form.requestSubmit(asked);
});

function askForWords(form, button) {
  for (const other of form.querySelectorAll("[data-asked]")) delete other.dataset.asked;
  button.dataset.asked = "";
  const note = "Say why in a few words; Ctrl+Enter sends it.";
  tell(form.closest(".card"), note);
  say(note);
  form.rationale.focus();
}

async function judge(card, form, button) {
  form.active_s.value = active(card).toFixed(1);
  const body = new URLSearchParams(new FormData(form, button));
  const mine = ++line;
  card.remove();
  tell(card, "");
  showFront();
  const post = ask(deck.dataset.verdicts, { method: "POST", body }).then(
    (news) => judged(card, news, mine),
    () => putBack(card, "The server could not be reached; press again, nothing is counted twice."),
  );
  posting = Promise.allSettled([posting, post]);
}

function judged(card, news, mine) {
  if (!news.ok) return refused(card, news);
  add(unseen(news.cards));
  undo.elements.case.value = news.undo ?? "";
  undo.querySelector("button").disabled = !news.undo;
  if (news.undo) changed(news, mine).catch(() => {});
  if (mine !== line) return;
  say(news.line);
  follow(news, mine).catch(() => {}); // what the caller was told is good to know, and nothing hangs on it
}

async function follow(news, mine) {
  const told = await ask(deck.dataset.told + news.verdict);
  if (mine === line && told.line) say(`${news.line} ${told.line}`);
}

async function changed(news, mine) {
  const effect = await ask(deck.dataset.effect + news.verdict);
  if (effect.html) showEffect(effect, mine, mine === line);
}

function refused(card, news) {
  const again = unseen(news.cards ?? "");
  if (again.length) {
    again[0].querySelector("[name=rationale]").value = card.querySelector("[name=rationale]").value;
    add(again, { inFront: true });
    say(news.line, true);
  } else if (news.lost?.length) {
    say(news.line, true);
  } else {
    putBack(card, news.line || news.detail || "The verdict was not counted.");
  }
}

// Undo ----------------------------------------------------------------------------------------------------------------

undo.addEventListener("submit", async (event) => {
  event.preventDefault();
  await posting;
  const body = new URLSearchParams(new FormData(undo));
  undo.querySelector("button").disabled = true;
  line += 1;
  hideEffect(line);
  const news = await ask(undo.action, { method: "POST", body });
  if (news.ok) add(unseen(news.cards), { inFront: true });
  say(news.line ?? news.detail, !news.ok);
});

// News ----------------------------------------------------------------------------------------------------------------

let looking = new AbortController();
document.addEventListener("visibilitychange", () => looking.abort()); // look at once when somebody comes back

async function watch() {
  looking = new AbortController();
  const known = cards().map(({ dataset }) => ({
    claim_id: dataset.claim, case_id: dataset.case, caller: dataset.caller,
  }));
  const body = JSON.stringify({ known, present: present(AWAY_MS) });
  const headers = { "content-type": "application/json" };
  const news = await ask(deck.dataset.watch, { method: "POST", body, headers, signal: looking.signal });
  if (!news.ok) throw new Error(news.detail);
  await posting;
  add(unseen(news.cards));
  for (const card of cards()) {
    const caller = news.callers[card.dataset.claim];
    if (caller) card.dataset.caller = card.querySelector(".caller").dataset.state = caller;
    if (news.lost.includes(card.dataset.claim)) lost(card);
  }
}

function lost(card) {
  if (card === front()) return tell(card, "Your claim on this case has ended; your next key claims it again.");
  card.remove();
  return showFront({ focus: false });
}

async function watchForEver() {
  for (;;) {
    try {
      await watch();
    } catch {
      if (looking.signal.aborted) continue;
      await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
    }
  }
}

startKeys({ around: () => front() ?? document.getElementById("empty"), beside: document.querySelector(".bar") });
showFront();
watchForEver();

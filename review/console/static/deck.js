// The deck: the card in front is shown, the others wait hidden behind it. Each card's seconds are counted while it is
// in front, the page is visible and somebody is there.

const AWAY_MS = 60_000;
const deck = document.getElementById("deck");
const empty = document.getElementById("empty");
const ahead = document.getElementById("ahead");
const said = document.getElementById("said");
const seen = new Set();
let touched = performance.now();

for (const kind of ["keydown", "pointerdown", "pointermove", "focus"]) {
  window.addEventListener(kind, () => { touched = performance.now(); }, { passive: true, capture: true });
}
setInterval(() => {
  const card = front();
  if (card && present(AWAY_MS)) card.dataset.active = active(card) + 0.5;
  for (const time of document.querySelectorAll("time[data-until]")) {
    const left = Math.round((time.dataset.until / 1000 - Date.now()) / 1000);
    time.textContent = left > 0 ? `${left} s left` : "the wait is over";
  }
}, 500);

export const front = () => deck.querySelector(".card:not([hidden])");
export const cards = () => [...deck.children];
export const active = (card) => Number(card.dataset.active ?? 0);
export const present = (within) => document.visibilityState === "visible" && performance.now() - touched < within;

export function say(line, wrong = false) {
  said.textContent = line;
  said.classList.toggle("wrong", wrong);
}

/** Add to what is read out, and to nothing that is seen: the bar must not grow and move the card. */
export function whisper(line) {
  const span = document.createElement("span");
  span.className = "unseen";
  span.textContent = ` ${line}`;
  said.append(span);
}

/** Show the first card, or that nothing waits; move the focus there unless somebody is writing. */
export function showFront({ focus = true } = {}) {
  const [first, ...rest] = cards();
  if (first) first.hidden = false;
  for (const card of rest) card.hidden = true;
  empty.hidden = Boolean(first);
  ahead.textContent = rest.length ? `${rest.length} more at hand` : "";
  if (focus) (first ?? empty).querySelector("h2").focus({ preventScroll: true });
  if (focus) window.scrollTo(0, 0);
}

/** The cards in a piece of HTML that were never here before. */
export function unseen(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.querySelectorAll(".card")].filter((card) => !seen.has(card.dataset.claim));
}

/** Add new cards: in front, or behind the others with those that keep a caller waiting first. */
export function add(fresh, { inFront = false } = {}) {
  const wasEmpty = !front();
  for (const card of fresh) {
    seen.add(card.dataset.claim);
    card.hidden = true;
    if (inFront) deck.prepend(card);
    else if (card.dataset.caller === "waiting" && front()) place(card);
    else deck.append(card);
  }
  if (inFront || fresh.length) showFront({ focus: inFront || wasEmpty });
}

function place(card) {
  const calm = cards().slice(1).find((other) => other.dataset.caller !== "waiting");
  deck.insertBefore(card, calm ?? null);
}

/** Put a card back in front with a note, as its reviewer left it. */
export function putBack(card, note) {
  tell(card, note);
  deck.prepend(card);
  showFront();
  say(note, true);
}

export function tell(card, note) {
  const place = card.querySelector("[data-note]");
  place.textContent = note;
  place.hidden = !note;
}

for (const card of cards()) seen.add(card.dataset.claim);

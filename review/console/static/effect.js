// What the last correction changed: at the bottom of the window where the card leaves room, else below it. It never takes
// the focus, moves nothing and covers nothing that is to be judged.

import { front, whisper } from "./deck.js";

const place = document.getElementById("effect");
let newest = 0;

/** Show what a verdict changed, unless a later one was shown or taken back; `aloud` while nothing was judged since. */
export function showEffect(effect, number, aloud) {
  if (number < newest) return;
  newest = number;
  place.innerHTML = effect.html;
  place.hidden = false;
  fit();
  if (aloud) whisper(effect.line);
}

/** Hide it; what comes of verdicts before this number comes too late. */
export function hideEffect(number) {
  newest = number;
  place.hidden = true;
}

function fit() {
  if (place.hidden) return;
  const form = front()?.querySelector(".verdict");
  const end = form ? form.getBoundingClientRect().bottom + window.scrollY : 0;
  place.classList.toggle("below", end > window.innerHeight - place.offsetHeight);
}

new MutationObserver(fit).observe(document.getElementById("deck"), { childList: true, attributeFilter: ["hidden"], subtree: true });
window.addEventListener("resize", fit);
fit();

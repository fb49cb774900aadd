// Operations: keys act on the model in front, and the page grows by itself. The stream only says that something
// happened; what is shown comes as HTML from the server, for the models and for the timeline alike.

import { startKeys } from "./keys.js";

const LOOK_MS = 15_000;
const AGAIN_MS = 2_000;
const REST_MS = 1_000; // however much happens, the parts are asked for once a second
const live = document.getElementById("live");
const models = document.getElementById("models");
const timeline = document.getElementById("timeline");
let stream;
let looking = false;
let again = false;
let looked = 0;
let later;

// The model in front --------------------------------------------------------------------------------------------------

const all = () => [...models.querySelectorAll("[data-model]")];
const front = () => models.querySelector("[aria-current]") ?? all()[0];

function putInFront(model, { focus = true } = {}) {
  if (!model) return;
  for (const other of all()) other.removeAttribute("aria-current");
  model.setAttribute("aria-current", "true");
  if (focus) model.focus();
}

function step(by) {
  const list = all();
  const place = list.indexOf(front()) + (document.activeElement?.closest("[data-model]") ? by : 0);
  putInFront(list[Math.max(0, Math.min(list.length - 1, place))]);
}

function pointed() {
  const model = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (model && model.dataset.model) putInFront(model);
}

const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
models.addEventListener("focusin", (event) => putInFront(event.target.closest("[data-model]"), { focus: false }));
window.addEventListener("hashchange", pointed);

// News ----------------------------------------------------------------------------------------------------------------

function hear() {
  const left = Math.min(looked + REST_MS - Date.now(), REST_MS);
  if (left <= 0) return look();
  later ??= setTimeout(look, left);
}

async function look() {
  clearTimeout(later);
  later = undefined;
  again = looking;
  looked = Date.now();
  if (looking) return;
  looking = true;
  try {
    do {
      again = false;
      await lookOnce();
    } while (again);
  } catch {
    say("○ not live: the server could not be reached");
  } finally {
    looking = false;
  }
}

async function lookOnce() {
  const answer = await fetch(`${live.dataset.news}?after=${timeline.dataset.position}`);
  if (answer.status === 401 || answer.redirected) return location.reload();
  if (!answer.ok) throw new Error(answer.status);
  const news = new DOMParser().parseFromString(await answer.text(), "text/html");
  takeVerdict(news.getElementById("verdict"));
  takeModels(news);
  const line = news.getElementById("timeline");
  timeline.dataset.position = line.dataset.position;
  timeline.prepend(...line.children);
  again ||= line.dataset.more !== undefined;
}

function takeVerdict(fresh) { // its words alone, so that it stays the live region that screen readers follow
  const old = document.getElementById("verdict");
  if (fresh.innerHTML === old.innerHTML) return;
  old.className = fresh.className;
  old.replaceChildren(...fresh.childNodes);
}

function takeModels(news) {
  const fresh = [...news.querySelectorAll("[data-model]")];
  if (fresh.map(({ id }) => id).join() !== all().map(({ id }) => id).join()) return location.reload();
  for (const model of fresh) take(model, document.getElementById(model.id));
}

function take(fresh, old) {
  const current = old.getAttribute("aria-current");
  if (current) fresh.setAttribute("aria-current", current);
  if (fresh.outerHTML === old.outerHTML) return;
  const focused = old.contains(document.activeElement) && (document.activeElement.dataset.key ?? "");
  old.replaceWith(fresh);
  if (focused === false) return;
  const heir = focused && [...fresh.querySelectorAll("[data-key]")].find(({ dataset }) => dataset.key === focused);
  (heir || fresh).focus({ preventScroll: true });
}

// The stream ends when the page is hidden, so that tabs do not use up the few connections that a browser has for a host.

function open() {
  stream?.close();
  if (document.visibilityState !== "visible") return say("○ not live: this page is hidden");
  stream = new EventSource(`${live.dataset.stream}?after=${timeline.dataset.position}`);
  stream.addEventListener("open", () => say("● live"));
  stream.addEventListener("message", hear);
  stream.addEventListener("error", () => {
    say("○ not live: asking again");
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS);
  });
  return look();
}

function say(words) {
  if (live.textContent !== words) live.textContent = words;
}

document.addEventListener("visibilitychange", open);
window.addEventListener("pagehide", () => stream?.close());
window.addEventListener("pageshow", (event) => event.persisted && open());
setInterval(() => document.visibilityState === "visible" && look(), LOOK_MS);
startKeys({ around: front, beside: document.querySelector(".bar"), step: (key) => STEPS[key] && (() => step(STEPS[key])) });
putInFront(models.querySelector(".bad") ?? all()[0], { focus: false });
pointed();
open();

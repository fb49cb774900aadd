// Keys: the script only clicks the button, or focuses the field, that carries the key. They can be switched off.

const STORE = "lockgate.shortcuts";
let page = {};
let on = localStorage.getItem(STORE) !== "off";

const openDialog = () => document.querySelector("dialog[open]");
const writing = (target) => target.closest("input, textarea, select, [contenteditable]");
const carrier = (place, key) => [...place.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);

function find(key) {
  const places = [page.around(), page.beside].filter(Boolean);
  return places.map((place) => carrier(place, key)).find(Boolean) ?? carrier(page.beside, key.toLowerCase());
}

function press(event) {
  if (event.key === "Escape" && writing(event.target)) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (!on || event.repeat || openDialog() || writing(event.target)) return;
  const step = page.step?.(event.key);
  if (step) return event.preventDefault(), step();
  const target = find(event.key);
  if (!target || target.disabled) return;
  event.preventDefault();
  if (target.matches("input, textarea")) target.focus();
  else target.click();
}

function show() {
  document.documentElement.classList.toggle("no-shortcuts", !on);
  for (const button of document.querySelectorAll("[data-shortcuts]")) {
    button.setAttribute("aria-pressed", on);
    button.textContent = on ? "Shortcuts are on" : "Shortcuts are off";
  }
}

function switchShortcuts() {
  on = !on;
  localStorage.setItem(STORE, on ? "on" : "off");
  show();
}

// `around` gives the part of the page in front, `beside` is the bar, `step` what a key does that moves the front.

export function startKeys(given) {
  page = given;
  const help = document.getElementById("help");
  help.hidden = false;
  help.addEventListener("click", () => {
    (page.around()?.querySelector("dialog") ?? page.beside.querySelector("dialog")).showModal();
    show();
  });
  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) switchShortcuts();
  });
  show();
}

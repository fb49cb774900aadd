// Keys: the script only clicks the button, or focuses the field, that carries the key. They can be switched off.

import { front } from "./deck.js";

const STORE = "lockgate.shortcuts";
const bar = document.querySelector(".bar");
let on = localStorage.getItem(STORE) !== "off";

const around = () => front() ?? document.getElementById("empty");
const openDialog = () => document.querySelector("dialog[open]");
const writing = (target) => target.closest("input, textarea, select, [contenteditable]");
const carrier = (place, key) => [...place.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);

export function find(key) {
  return carrier(around(), key) ?? carrier(bar, key) ?? carrier(bar, key.toLowerCase());
}

function press(event) {
  if (event.key === "Escape" && writing(event.target)) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (!on || event.repeat || openDialog() || writing(event.target)) return;
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

export function startKeys() {
  const help = document.getElementById("help");
  help.hidden = false;
  help.addEventListener("click", () => {
    around().querySelector("dialog").showModal();
    show();
  });
  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) switchShortcuts();
  });
  show();
}

// A release: each key leads to what an act would change; the links work without this script.

import { startKeys } from "./keys.js";

const bar = document.querySelector(".bar");
startKeys({ around: () => document.getElementById("main"), beside: bar });

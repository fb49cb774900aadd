// A rollout: keys click the link of the act that carries them.

import { startKeys } from "./keys.js";

startKeys({ around: () => document.querySelector("main"), beside: document.querySelector(".bar") });

/** What has to be known before anything of the page is drawn: that there is script, the theme, and the side. */
import { remembered } from "./memory.js";

const root = document.documentElement.dataset;
root.script = "";
root.theme = ["light", "dark"].find((theme) => theme === remembered("theme")) ?? "system";
root.side = remembered("side") === "server" ? "server" : "client";

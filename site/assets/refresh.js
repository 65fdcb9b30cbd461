// Keeps an open page fresh and does nothing else: without it every page is complete.
// It asks for the small status file, and only when something in it has changed for the page itself.
(() => {
  "use strict";
  const EVERY = 30e3;
  const base = document.currentScript.dataset.base;
  const line = document.getElementById("updated");
  const live = document.getElementById("live");
  const words = { ...line.dataset };
  const STALE = Number(words.after); // seconds after which the data is called old
  let until = Date.parse(words.until || "");
  let skew = 0; // the server's clock minus ours
  let offline = false;
  let known = null;
  let timer = 0;

  const signs = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const number = new Intl.NumberFormat(document.documentElement.lang);

  // "1 h 12 min", as the server writes it.
  function duration(seconds) {
    let rest = Math.max(0, Math.round(seconds));
    const start = signs.findIndex(([, size]) => rest >= size);
    if (start < 0) return "0\u00a0s";
    const parts = [];
    for (const [sign, size] of signs.slice(start, start + 2)) {
      const count = Math.floor(rest / size);
      rest -= count * size;
      if (count) parts.push(number.format(count) + "\u00a0" + sign);
    }
    return parts.join(" ");
  }

  const ago = (seconds) => words.ago.replace("{duration}", duration(seconds));

  function tell() {
    const now = Date.now() + skew;
    for (const one of document.querySelectorAll("[data-since]")) {
      const minutes = Math.max(1, Math.floor((now - Date.parse(one.dataset.since)) / 6e4));
      one.textContent = "(" + ago(minutes * 60) + ")";
    }
    if (!until) return;
    const age = (now - until) / 1000;
    const old = age > STALE;
    const message = offline ? words.offline : old ? words.stale : words.fresh;
    line.textContent = message.replace("{ago}", ago(age < 60 ? age : Math.floor(age / 60) * 60));
    line.classList.toggle("stale", offline || old);
    line.hidden = false;
  }

  // How to find the same thing in the next content: a link by where it leads, what folds by its incident.
  function place(one) {
    if (one.id) return "#" + CSS.escape(one.id);
    const href = one.getAttribute("href");
    if (href) return `[href="${CSS.escape(href)}"]`;
    const incident = one.closest("[data-incident-id]");
    return incident && `[data-incident-id="${CSS.escape(incident.dataset.incidentId)}"] ${one.localName}`;
  }

  async function swap() {
    const answer = await fetch(location.href, { cache: "no-cache" });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.getElementById("main");
    const main = document.getElementById("main");
    if (!next || next.innerHTML === main.innerHTML) return;
    const held = main.contains(document.activeElement) && place(document.activeElement);
    const open = [...main.querySelectorAll("details[open]")].map(place);
    const news = next.dataset.announce;
    if (news && news !== main.dataset.announce) live.textContent = news;
    for (const where of open) next.querySelector(where)?.setAttribute("open", "");
    const rolled = [...main.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    const form = main.querySelector(".told"); // what is being typed stays
    if (form) next.querySelector(".told")?.replaceWith(form);
    main.replaceWith(document.adoptNode(next));
    next.querySelectorAll(".scroll").forEach((one, index) => (one.scrollLeft = rolled[index]));
    dispatchEvent(new Event("fresh"));
    document.title = fresh.title;
    if (held) next.querySelector(held)?.focus({ preventScroll: true });
  }

  // `first`: the page has just arrived and only wants to know how old it is.
  async function look(first) {
    clearTimeout(timer);
    try {
      // "no-cache" asks with the stored ETag, so an unchanged file costs one empty answer.
      const answer = await fetch(base + "api/v1/status.json", { cache: "no-cache" });
      if (!answer.ok) throw new Error(answer.status);
      const date = Date.parse(answer.headers.get("date") || "");
      if (date) skew = date - Date.now();
      const { generated_at, data_until, ...facts } = await answer.json();
      until = Date.parse(data_until || "") || until;
      const now = JSON.stringify(facts);
      if (known !== now && !first) await swap();
      known = now;
      offline = false;
    } catch {
      offline = true;
    }
    tell();
    schedule();
  }

  function schedule() {
    clearTimeout(timer);
    // Readers spread out, so that a bad day does not bring them all at once.
    if (!document.hidden) timer = setTimeout(() => look(), EVERY * (0.9 + Math.random() / 5));
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  addEventListener("online", () => look());
  setInterval(() => document.hidden || tell(), 1000);
  tell();
  if (until) schedule();
  else look(true);
})();

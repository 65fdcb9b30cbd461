// Keeps a page of operators live and does nothing else: without it every page and every form is complete.
// It listens to the board; when something has changed it asks for the page and swaps what is different, but nothing
// that somebody is in the middle of.
(() => {
  "use strict";
  const ASK = 5e3; // between questions while the line is broken
  const MINUTE = 60e3;
  const CALM = 700; // after a change, so that several of them are one question
  const base = document.currentScript.dataset.base;
  const line = document.getElementById("line");
  const live = document.getElementById("live");
  let source = null;
  let timer = 0;
  let again = 0;
  let asking = false;
  let wanted = false;
  let ended = false;

  function tell(state) {
    line.dataset.state = state;
    line.textContent = line.dataset[state];
  }

  // --- what may not be touched: a form with something typed in it, or with the keyboard in it

  const differs = (field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked
      : field.type === "select-multiple" || field.type === "select-one"
        ? [...field.options].some((one) => one.selected !== one.defaultSelected) && field.dataset.touched
        : field.type !== "hidden" && field.type !== "submit" && field.value !== field.defaultValue;

  function busy(part) {
    const focused = document.activeElement;
    if (part.contains(focused) && focused.closest("form")) return true;
    return [...part.querySelectorAll("input, textarea, select")].some(differs);
  }
  addEventListener("change", (event) => { if (event.target.dataset) event.target.dataset.touched = "1"; });

  // --- swapping

  // The page with what differs in every answer left out.
  function plain(part) {
    const copy = part.cloneNode(true);
    for (const one of copy.querySelectorAll("input[type=hidden]")) one.remove();
    for (const one of copy.querySelectorAll("details")) one.removeAttribute("open");
    copy.removeAttribute("hidden");
    return copy.outerHTML;
  }

  function swap(old, fresh) {
    if (plain(old) === plain(fresh) || busy(old)) return false;
    for (const one of old.querySelectorAll("details[id]")) {
      const same = fresh.querySelector("#" + CSS.escape(one.id));
      if (same) same.open = one.open;
    }
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const href = held && held.getAttribute("href");
    const id = held && (held.closest("details[id]") || {}).id;
    const { scrollTop, scrollLeft } = old;
    const rolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    fresh.hidden = old.hidden;
    old.replaceWith(document.adoptNode(fresh));
    if (scrollTop || scrollLeft) fresh.scrollTo(scrollLeft, scrollTop);
    fresh.querySelectorAll(".scroll").forEach((one, index) => (one.scrollLeft = rolled[index]));
    if (held === old) fresh.focus({ preventScroll: true });
    else if (href) fresh.querySelector(`[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    else if (id) fresh.querySelector(`#${CSS.escape(id)} > summary`)?.focus({ preventScroll: true });
    return true;
  }

  function order(list, fresh) {
    let place = list.firstElementChild;
    for (const next of [...fresh.children]) {
      const known = next.id && list.querySelector(":scope > #" + CSS.escape(next.id));
      if (!known) {
        list.insertBefore(document.adoptNode(next), place);
        continue;
      }
      const stands = swap(known, next) ? next : known;
      if (known === place) place = stands.nextElementSibling;
      else if (!busy(stands)) list.insertBefore(stands, place);
      else place = stands.nextElementSibling;
    }
  }

  function show(fresh) {
    const held = document.activeElement;
    const href = held.getAttribute("href");
    const home = held.closest("[id]");
    for (const old of document.querySelectorAll("[data-part]")) {
      const next = fresh.getElementById(old.id);
      if (next) swap(old, next);
    }
    for (const list of document.querySelectorAll("[data-list]")) {
      const next = fresh.getElementById(list.id);
      if (!next) continue;
      const ids = new Set([...next.children].map((one) => one.id));
      order(list, next);
      for (const one of [...list.children]) if (!ids.has(one.id) && !busy(one)) one.remove();
    }
    dispatchEvent(new Event("fresh"));
    // A box that moved to another place takes the keyboard along.
    if (document.activeElement === document.body && href && home) {
      document.querySelector(`#${CSS.escape(home.id)} [href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    }
    const before = document.title;
    document.title = fresh.title;
    if (before !== fresh.title) live.textContent = fresh.title;
    document.dispatchEvent(new Event("shown")); // for whoever draws something besides
  }

  async function ask() {
    if (asking) { wanted = true; return; }
    asking = true;
    try {
      const address = location.pathname + location.search.replace(/([?&])done=[^&]*/, "$1");
      const answer = await fetch(address, { cache: "no-store", redirect: "follow" });
      if (answer.status === 401 || answer.status === 403) {
        ended = true;
        tell("ended");
        leave();
        return;
      }
      if (!answer.ok) throw new Error(answer.status);
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      tell(source && source.readyState === EventSource.OPEN ? "live" : "asking");
    } catch {
      tell("lost");
    } finally {
      asking = false;
      if (wanted) { wanted = false; soon(); }
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(ask, CALM);
  }

  // --- the line

  function poll() {
    if (again) return; // a browser calls again and again, and each time it fails it says so
    again = setTimeout(async () => {
      again = 0;
      if (document.hidden) return;
      await ask();
      if (!source || ended) return;
      if (source.readyState === EventSource.CLOSED) listen();
      else if (source.readyState !== EventSource.OPEN) poll();
    }, ASK);
  }

  function listen() {
    leave();
    source = new EventSource(base + "events");
    let first = true;
    source.addEventListener("open", () => {
      clearTimeout(again);
      again = 0;
      first = true;
      tell("live");
    });
    source.addEventListener("board", (event) => {
      const told = JSON.parse(event.data);
      // The first word after a call says what is so now: whatever was missed meanwhile is asked for.
      if (first || told.modules.length || told.incidents) soon();
      first = false;
    });
    source.addEventListener("error", () => {
      if (line.dataset.state !== "lost") tell("asking");
      poll();
    });
  }

  function leave() {
    clearTimeout(again);
    again = 0;
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : ended || listen()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted && !document.hidden) listen(); });
  setInterval(() => document.hidden || ended || ask(), MINUTE); // times that are told as "ago" go on by themselves
  if (!document.hidden) listen();
})();

// Narrows the codes down to those that hold every word of what is typed, in any of their texts: ?q=503. Without it all
// of them are shown. The address is all there is to remember, so it can be shared.
(() => {
  "use strict";
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const field = () => document.getElementById("code_asked");

  // Letters as one types them: case and accents do not count.
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const asked = () => new URLSearchParams(location.search).get("q") || "";
  const rows = () => [...document.querySelectorAll(".code")];

  function isMeant(row) {
    const id = decodeURIComponent(location.hash.slice(1));
    return id !== "" && [...row.querySelectorAll("code[id]")].some((one) => one.id === id);
  }

  function apply() {
    const form = document.getElementById("code_search");
    if (!form) return;
    const words = plain(asked()).split(/\s+/).filter(Boolean);
    for (const row of rows()) {
      const text = plain(row.textContent);
      row.hidden = !words.every((word) => text.includes(word)) && !isMeant(row);
    }
    for (const family of document.querySelectorAll("section.codes")) {
      family.hidden = !family.querySelector(".code:not([hidden])");
      const id = family.getAttribute("aria-labelledby");
      document.querySelector(`.chips a[href="#${CSS.escape(id)}"]`).parentElement.hidden = family.hidden;
    }
    form.hidden = false;
    const shown = rows().filter((row) => !row.hidden).length;
    const { shown: some, none } = form.dataset;
    const told = !words.length ? "" : shown ? some.replace("{shown}", number.format(shown)).replace("{all}", number.format(rows().length)) : none;
    const line = document.getElementById("codes_shown");
    if (line.textContent !== told) line.textContent = told;
    for (const link of document.querySelectorAll(".tongues a")) link.href = asking(link.href, asked());
  }

  function asking(from, text) {
    const address = new URL(from);
    text ? address.searchParams.set("q", text) : address.searchParams.delete("q");
    return address.href;
  }

  function show() {
    if (field() && field().value.trim() !== asked().trim()) field().value = asked();
    apply();
  }

  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    history.replaceState(null, "", asking(location.href.split("#")[0], field().value.trim()));
    apply();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "code_search") return;
    event.preventDefault(); // Enter leads to the first one that is left
    const first = document.querySelector(".code:not([hidden])");
    if (!first) return;
    first.tabIndex = -1;
    first.focus();
  });
  addEventListener("popstate", show);
  addEventListener("hashchange", () => {
    show();
    document.querySelector(":target")?.scrollIntoView();
  });
  addEventListener("fresh", show); // the page was made anew
  show();
})();

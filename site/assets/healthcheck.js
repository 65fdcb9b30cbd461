// Narrows the modules down to what the address says: ?group=checkout&status=down&location=here. Without it all of them
// are shown. The address is all there is to remember, so it can be shared, and back and forward work.
(() => {
  "use strict";
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const filter = () => document.getElementById("filter_by");

  // What the address asks for; words that are no choice ask for nothing.
  function asked() {
    const query = new URLSearchParams(location.search);
    const found = {};
    for (const field of filter().querySelectorAll("select")) {
      const value = query.get(field.name) || "";
      const known = [...field.options].some((one) => one.value === value);
      found[field.name] = field.value = known ? value : "";
    }
    return found;
  }

  function fits(box, wanted) {
    const { groups, seen, moduleStatus } = box.dataset;
    if (wanted.group && !groups.split(" ").includes(wanted.group)) return false;
    if (!wanted.location) return !wanted.status || moduleStatus === wanted.status;
    return seen.split(" ").some((one) => {
      const [place, status] = one.split(":");
      return place === wanted.location && (!wanted.status || status === wanted.status);
    });
  }

  function apply() {
    if (!filter()) return;
    const wanted = asked();
    const boxes = [...document.querySelectorAll("[data-module-id]")];
    for (const box of boxes) box.hidden = !fits(box, wanted) && location.hash !== "#" + box.id;
    const shown = boxes.filter((box) => !box.hidden).length;
    const narrowed = Object.values(wanted).some(Boolean);
    document.querySelector(".shelves").classList.toggle("narrowed", narrowed);
    for (const link of document.querySelectorAll(".tongues a")) link.href = narrowedBy(link.href, wanted);
    filter().hidden = false;
    filter().querySelector("button").hidden = !narrowed;
    const told = narrowed ? filter().dataset.shown.replace("{shown}", number.format(shown)).replace("{all}", number.format(boxes.length)) : "";
    const line = document.getElementById("shown_count");
    if (line.textContent !== told) line.textContent = told;
  }

  function narrowedBy(from, wanted) {
    const address = new URL(from);
    for (const [name, value] of Object.entries(wanted)) value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
    return address.href;
  }

  function go(chosen) {
    const fields = [...filter().querySelectorAll("select")];
    history.pushState(null, "", narrowedBy(location, Object.fromEntries(fields.map((one) => [one.name, chosen(one)]))));
    apply();
    return fields;
  }

  document.addEventListener("change", (event) => {
    if (event.target.closest("#filter_by")) go((field) => field.value);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#filter_by button")) go(() => "")[0].focus(); // the button is gone
  });
  addEventListener("popstate", apply);
  addEventListener("hashchange", () => {
    apply();
    document.querySelector(":target")?.scrollIntoView();
  });
  addEventListener("fresh", apply); // the page was made anew
  apply();

  // On a narrow screen the map begins at the cause.
  const map = document.querySelector(".map .scroll");
  const cause = map?.querySelector(".root rect");
  if (cause) map.scrollLeft = cause.x.baseVal.value - map.clientWidth / 2;
})();

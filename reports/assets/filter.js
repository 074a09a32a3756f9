// Shows the questions that the form asks for: its lists, and every word of its search. In print, and without this
// script, all are there.
(function () {
  "use strict";
  var form = document.getElementById("filter"), search = form.querySelector("[type=search]");
  var lists = Array.from(form.querySelectorAll("select"));
  var rows = Array.from(document.querySelectorAll("tr[data-word]"));
  var tables = Array.from(document.querySelectorAll("table.answers"));
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  function show() {
    var asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach(function (row, at) {
      var fits = lists.every(function (list) { return !list.value || row.dataset[list.name] === list.value; }) &&
        asked.every(function (word) { return texts[at].includes(word); });
      row.classList.toggle("out", !fits);
    });
    tables.forEach(function (table) {
      table.closest(".scroll").classList.toggle("out", !table.querySelector("tbody tr:not(.out)"));
    });
    var shown = rows.filter(function (row) { return !row.classList.contains("out"); });
    form.querySelector("output").textContent = shown.length + " of " + rows.length + " questions";
  }
  lists.forEach(function (list) { window.pageState.keep(list, show); });
  search.value = window.pageState.getAll("search")[0] || "";
  search.addEventListener("input", function () { window.pageState.set("search", search.value); show(); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.hidden = false;
  show();
})();

// Shows the questions that the lists of the form ask for. Without this script, and in print, all are there.
(function () {
  "use strict";
  var form = document.getElementById("filter");
  var lists = Array.from(form.querySelectorAll("select"));
  var rows = Array.from(document.querySelectorAll("tr[data-word]"));
  var tables = Array.from(document.querySelectorAll("table.verdicts"));
  function show() {
    rows.forEach(function (row) {
      var fits = lists.every(function (list) { return !list.value || row.dataset[list.name] === list.value; });
      row.classList.toggle("out", !fits);
    });
    tables.forEach(function (table) {
      table.closest(".scroll").classList.toggle("out", !table.querySelector("tbody tr:not(.out)"));
    });
    var shown = rows.filter(function (row) { return !row.classList.contains("out"); });
    form.querySelector("output").textContent = shown.length + " of " + rows.length + " questions";
  }
  lists.forEach(function (list) { window.pageState.keep(list, show); });
  form.hidden = false;
  show();
})();

// One selection of methods, seed and target for all charts and tables of a page; it stands in the page's address.
// charts.js asks `pageSelection.values` what a chart is to draw, and is told of every change. Print shows everything.
(function () {
  "use strict";
  var form = document.getElementById("selection"), state = window.pageState, heard = [];
  var boxes = Array.from(form.querySelectorAll("[name=method]"));
  var seed = form.querySelector("[name=seed]"), target = form.querySelector("[name=target]");
  var nothing = { methods: [], seed: "", target: "" };
  function split(text) { return text ? text.split("|") : []; }
  function among(values) { return function (one) { return values.indexOf(one) >= 0; }; }
  function chosen() {
    var methods = boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; });
    return { methods: methods, seed: seed ? seed.value : "", target: target ? target.value : "" };
  }
  function family(label) { return label.split(" ")[0]; }
  // Of some labels, those that are chosen; for a chosen variant that is not among them, the others of its method.
  function matching(labels, now) {
    var absent = now.methods.filter(function (one) { return labels.indexOf(one) < 0; }).map(family);
    var there = now.methods.filter(among(labels)).map(family);
    return labels.filter(function (label) {
      return among(now.methods)(label) || (among(absent)(family(label)) && !among(there)(family(label)));
    });
  }
  // The parameters of one chart: of what is chosen, what it has.
  function picked(place, now) {
    return {
      pick_methods: matching(split(place.dataset.methods), now),
      pick_seed: split(place.dataset.seeds).indexOf(now.seed),
      pick_target: among(split(place.dataset.targets))(now.target) ? Number(now.target) : 0,
    };
  }
  function all(charts, name) {
    return charts.reduce(function (found, chart) { return found.concat(split(chart.dataset[name])); }, []);
  }
  // What a figure shows of the selection, and what of it this figure does not have.
  function said(charts, now) {
    var moves = [], stays = [], methods = all(charts, "methods");
    var some = matching(methods, now), exact = now.methods.filter(among(methods)).length;
    if (now.methods.length) {
      if (exact) { moves.push(exact + " of " + now.methods.length + " chosen variants stand out"); }
      else if (some.length) { moves.push("another variant of a chosen method stands out"); }
      else { stays.push(methods.length ? "none of the chosen methods is in it" : "it has no methods to choose"); }
    }
    if (now.seed) {
      if (among(all(charts, "seeds"))(now.seed)) { moves.push("seed " + now.seed + " alone, without intervals"); }
      else { stays.push("it has no single seeds"); }
    }
    if (now.target) {
      if (among(all(charts, "targets"))(now.target)) { moves.push("target " + now.target); }
      else { stays.push("it has no target to choose"); }
    }
    var text = moves.length ? "Selected: " + moves.join(", ") + ". Sentence and subtitles are about everything." : "";
    return text + (stays.length ? (text ? " " : "") + "Not moved by the selection: " + stays.join(", ") + "." : "");
  }
  function showFigure(figure, now) {
    var charts = Array.from(figure.querySelectorAll(".chart"));
    if (!charts.length) { return false; }
    var hits = charts.map(function (chart) { return picked(chart, now).pick_methods.length > 0; });
    charts.forEach(function (chart, place) {
      var aside = hits.some(Boolean) && !hits[place] && chart.dataset.methods;
      chart.closest(".panel").classList.toggle("out", Boolean(aside));
    });
    var methods = all(charts, "methods");
    figure.querySelectorAll(".key li").forEach(function (entry) {
      var label = entry.dataset.label, other = among(methods)(label) && !among(matching(methods, now))(label);
      entry.classList.toggle("faint", hits.some(Boolean) && other);
    });
    var note = figure.querySelector(".note"), text = said(charts, now);
    if (!note) {
      note = document.createElement("p");
      note.className = "note";
      figure.querySelector(".panels").before(note);
    }
    note.textContent = text;
    return text.indexOf("Selected") === 0;
  }
  function showTable(table, now) {
    var rows = Array.from(table.querySelectorAll("tbody tr"));
    var labels = rows.map(function (row) { return row.dataset.method || ""; }).filter(Boolean);
    var wanted = matching(labels, now), families = now.methods.map(family);
    function fits(row) { return among(wanted)(row.dataset.method) || among(families)(row.dataset.family); }
    function named(row) { return row.dataset.method || row.dataset.family; }
    var any = rows.some(fits), there = rows.some(function (row) { return row.dataset.target === now.target; });
    rows.forEach(function (row) {
      var at = !row.dataset.target || !there || row.dataset.target === now.target;
      row.classList.toggle("out", Boolean(any && named(row) && !fits(row)) || !at);
      row.classList.toggle("asked", there && row.dataset.target === now.target);
    });
    var figure = table.closest("figure"), chart = figure && figure.querySelector(".chart[data-seeds]");
    var place = chart ? picked(chart, now).pick_seed : -1;
    table.querySelectorAll("[data-single]").forEach(function (cell) {
      var single = split(cell.dataset.single);
      if (cell.dataset.all === undefined) { cell.dataset.all = cell.textContent; }
      cell.textContent = place < 0 ? cell.dataset.all : single[single.length > 1 ? place : 0];
    });
  }
  function show(now) {
    var figures = Array.from(document.querySelectorAll("figure.figure"));
    var moved = figures.filter(function (figure) { return showFigure(figure, now); }).length;
    document.querySelectorAll("main table").forEach(function (table) { showTable(table, now); });
    var any = now.methods.length || now.seed || now.target;
    form.querySelector("output").textContent = any
      ? moved + " of " + figures.length + " figures follow" + (moved < figures.length ? "; the others say why not" : "") +
        ". Verdicts stay: their rules fix methods, seeds and target."
      : "";
    var count = form.querySelector(".chosen");
    if (count) { count.textContent = now.methods.length ? now.methods.length + " of " + boxes.length : "all"; }
    form.classList.toggle("active", Boolean(any));
  }
  function change() {
    var now = chosen();
    state.setAll("method", now.methods);
    if (seed) { state.set("seed", now.seed); }
    if (target) { state.set("target", now.target); }
    show(now);
    heard.forEach(function (then) { then(); });
  }
  window.pageSelection = {
    values: function (place) { return picked(place, chosen()); },
    onChange: function (then) { heard.push(then); },
  };
  boxes.forEach(function (box) { box.checked = among(state.getAll("method"))(box.value); });
  [seed, target].forEach(function (list) { if (list) { state.restore(list); } });
  form.addEventListener("change", change);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(change, 0); });
  addEventListener("beforeprint", function () { show(nothing); });
  addEventListener("afterprint", function () { show(chosen()); });
  form.hidden = false;
  var first = chosen();
  if (first.methods.length || first.seed || first.target) { show(first); } // the page as it is shows everything
})();

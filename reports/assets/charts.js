// Replaces each static picture by its interactive chart. Specifications stand in the page, compressed; nothing is
// requested.
// `ast: true` makes Vega interpret expressions, so that the page's content security policy can forbid evaluation.
(function () {
  "use strict";
  var options = {
    ast: true, actions: false, renderer: "svg", mode: "vega-lite", defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  };
  // A parameter that is bound to a list is one list above the panels of a figure, and drives all of them.
  function choice(figure, parameter) {
    var list = figure.querySelector(".choice select[name='" + parameter.name + "']");
    if (!list) {
      var label = document.createElement("label");
      list = document.createElement("select");
      label.className = "choice";
      label.append(parameter.bind.name, list);
      list.name = parameter.name;
      parameter.bind.options.forEach(function (value, place) {
        list.add(new Option(parameter.bind.labels[place], value, false, value === parameter.value));
      });
      figure.querySelector(".panels").before(label);
      window.pageState.keep(list, function () {});
    }
    delete parameter.bind; // or Vega would make a list of its own in every panel
    parameter.value = list.value;
    return list;
  }
  // The page's selection moves every chart that has what is chosen: the ones in view first.
  var selection = window.pageSelection, views = [], queue = [];
  function move() {
    var next = queue.shift();
    if (!next) { return; }
    var values = selection.values(next.place);
    Object.keys(values).forEach(function (name) { next.view.signal(name, values[name]); });
    next.view.runAsync().then(function () { next.place.dataset.moved = location.search; setTimeout(move, 0); });
  }
  if (selection) {
    selection.onChange(function () {
      var idle = !queue.length;
      function near(one) {
        var box = one.place.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
      }
      queue = views.filter(near).concat(views.filter(function (one) { return !near(one); }));
      if (idle) { move(); }
    });
  }
  function follows(place) { return selection && (place.dataset.methods || place.dataset.seeds || place.dataset.targets); }
  // The charts of a figure are unpacked once, when the first of them is drawn.
  var unpacked = new Map();
  function charts(figure) {
    if (!unpacked.has(figure)) {
      var text = atob(figure.querySelector("script[type='application/gzip']").textContent);
      var bytes = Uint8Array.from(text, function (one) { return one.charCodeAt(0); });
      var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(figure, new Response(stream).json());
    }
    return unpacked.get(figure);
  }
  // Rows are copied, since Vega writes into them, and charts share them.
  function specificationOf(place) {
    var figure = place.closest("figure");
    return charts(figure).then(function (all) {
      var at = Array.from(figure.querySelectorAll(".chart")).indexOf(place), own = structuredClone(all.charts[at]);
      var rows = own.datasets.map(function (name) { return [name, structuredClone(all.datasets[name])]; });
      own.datasets = Object.fromEntries(rows);
      own.config = all.config;
      return own;
    });
  }
  function draw(place) {
    if (place.dataset.drawn) { return; }
    place.dataset.drawn = "begun";
    return Promise.resolve().then(function () { return specificationOf(place); })
      .then(function (specification) { return embed(place, specification); })
      .catch(function (error) { failed(place, error); });
  }
  function failed(place, error) {
    place.dataset.drawn = "no";
    place.querySelectorAll(".drawn").forEach(function (one) { one.remove(); });
    place.querySelector(".static").hidden = false;
    console.error(error);
  }
  function embed(place, specification) {
    var parameters = specification.params || [], now = follows(place) ? selection.values(place) : {};
    var lists = parameters.filter(function (one) { return one.bind; }).map(choice.bind(null, place.closest("figure")));
    parameters.forEach(function (one) { if (one.name in now) { one.value = now[one.name]; } });
    var fixed = place.querySelector(".static");
    // One picture with one description, as the static one: what Vega says of every mark is kept from screen readers.
    var drawn = document.createElement("div"), inner = document.createElement("div");
    drawn.className = "drawn";
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", fixed.getAttribute("aria-label"));
    inner.setAttribute("aria-hidden", "true");
    drawn.appendChild(inner);
    place.appendChild(drawn);
    fixed.hidden = true;
    return vegaEmbed(inner, specification, options).then(
      function (result) {
        lists.forEach(function (list) {
          list.addEventListener("change", function () { result.view.signal(list.name, list.value).runAsync(); });
        });
        if (follows(place)) { views.push({ place: place, view: result.view }); }
        place.dataset.drawn = "yes";
      }
    );
  }
  // What comes into view is drawn at once, the rest one after the other; until then the static pictures stand there.
  var places = Array.from(document.querySelectorAll(".chart")), begun = false;
  var near = new IntersectionObserver(function (seen) {
    seen.forEach(function (one) { if (one.isIntersecting) { near.unobserve(one.target); draw(one.target); } });
    if (!begun) { begun = true; rest(); } // not before: one chart out of view would hold up those in view
  }, { rootMargin: "400px" });
  places.forEach(function (place) { near.observe(place); });
  // What stands within a closed toggle waits until that is opened.
  function hidden(place) { return place.closest("details:not([open])"); }
  function rest() {
    var next = places.shift();
    if (next && hidden(next)) { setTimeout(rest, 0); return; }
    if (next) { Promise.resolve(draw(next)).then(function () { setTimeout(rest, 0); }); }
  }
  document.addEventListener("toggle", function (event) {
    if (!begun || !event.target.open) { return; } // before, the first look at the page finds it
    var idle = !places.length;
    places = places.concat(Array.from(event.target.querySelectorAll(".chart:not([data-drawn])")));
    if (idle) { rest(); }
  }, true);
})();

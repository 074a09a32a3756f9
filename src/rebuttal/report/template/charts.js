// Replaces each static picture by its interactive chart. Specifications stand in the page; nothing is requested.
// `ast: true` makes Vega interpret expressions, so that the page's content security policy can forbid evaluation.
(function () {
  "use strict";
  var options = {
    ast: true, actions: false, renderer: "svg", mode: "vega-lite", defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  };
  // A parameter that is bound to a list is one list above the panels of a figure, and drives all of them.
  function choice(figure, parameter) {
    var found = figure.querySelector(".choice select[name='" + parameter.name + "']");
    if (found) return found;
    var label = document.createElement("label");
    var list = document.createElement("select");
    label.className = "choice";
    label.append(parameter.bind.name || parameter.name, list);
    list.name = parameter.name;
    parameter.bind.options.forEach(function (value, place) {
      list.add(new Option(parameter.bind.labels[place], value, false, value === parameter.value));
    });
    figure.querySelector(".panels").before(label);
    return list;
  }
  function listen(place, specification, view) {
    (specification.params || []).forEach(function (parameter) {
      var list = choice(place.closest("figure"), parameter);
      list.addEventListener("change", function () { view.signal(parameter.name, list.value).runAsync(); });
    });
  }
  document.querySelectorAll(".chart").forEach(function (place) {
    var specification = JSON.parse(place.querySelector("script").textContent);
    var fixed = place.querySelector(".static");
    var drawn = document.createElement("div");
    drawn.className = "drawn";
    place.appendChild(drawn);
    fixed.hidden = true;
    vegaEmbed(drawn, specification, options).then(
      function (result) {
        listen(place, specification, result.view);
        place.dataset.drawn = "yes";
      },
      function (error) {
        place.dataset.drawn = "no";
        drawn.remove();
        fixed.hidden = false;
        console.error(error);
      }
    );
  });
})();

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
    }
    delete parameter.bind; // or Vega would make a list of its own in every panel
    return list;
  }
  document.querySelectorAll(".chart").forEach(function (place) {
    var specification = JSON.parse(place.querySelector("script").textContent);
    var lists = (specification.params || []).map(choice.bind(null, place.closest("figure")));
    var fixed = place.querySelector(".static");
    var drawn = document.createElement("div");
    drawn.className = "drawn";
    place.appendChild(drawn);
    fixed.hidden = true;
    vegaEmbed(drawn, specification, options).then(
      function (result) {
        lists.forEach(function (list) {
          list.addEventListener("change", function () { result.view.signal(list.name, list.value).runAsync(); });
        });
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

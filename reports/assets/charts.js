// Replaces each static picture by its interactive chart. Specifications stand in the page; nothing is requested.
// `ast: true` makes Vega interpret expressions, so that the page's content security policy can forbid evaluation.
(function () {
  "use strict";
  var options = {
    ast: true, actions: false, renderer: "svg", mode: "vega-lite", defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  };
  document.querySelectorAll(".chart").forEach(function (place) {
    var specification = JSON.parse(place.querySelector("script").textContent);
    var fixed = place.querySelector(".static");
    var drawn = document.createElement("div");
    drawn.className = "drawn";
    place.appendChild(drawn);
    fixed.hidden = true;
    vegaEmbed(drawn, specification, options).then(
      function () { place.dataset.drawn = "yes"; },
      function (error) {
        place.dataset.drawn = "no";
        drawn.remove();
        fixed.hidden = false;
        console.error(error);
      }
    );
  });
})();

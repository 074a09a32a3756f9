// Lets the picture of a method answer: what an operation is, on which node, layer and version, and step by step when.
// The data come from the same run as the picture, and stand in the page. Without this script the picture stands alone.
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg";
  function shape(name, attributes, parent) {
    var one = document.createElementNS(SVG, name);
    Object.keys(attributes).forEach(function (key) { one.setAttribute(key, attributes[key]); });
    return parent.appendChild(one);
  }
  function seconds(ms) { return (ms / 1000).toFixed(2) + " s"; }
  function start(live) {
    var data = JSON.parse(live.querySelector("script").textContent);
    var picture = live.previousElementSibling.querySelector("img.picture"), output = live.querySelector("output");
    var at = { span: -1, update: -1 };
    var frame = document.createElement("div"), over = document.createElementNS(SVG, "svg");
    frame.className = "over";
    picture.replaceWith(frame);
    frame.append(picture, over);
    over.setAttribute("viewBox", "0 0 " + data.size.join(" "));
    over.setAttribute("aria-hidden", "true"); // the text below the picture says the same
    function x(ms) { return data.left + ms * data.scale; }
    var boxes = data.spans.map(function (span, number) {
      var row = data.rows[span[0]], wire = data.wire && data.kinds[span[1]] === "all-reduce";
      var box = shape("rect", {
        x: x(span[2]), width: Math.max(x(span[3]) - x(span[2]), 2),
        y: row[1] + (wire ? data.wire[0] : 0), height: wire ? data.wire[1] : row[2],
      }, over);
      box.addEventListener("pointerenter", function () { showSpan(number); });
      box.addEventListener("click", function () { showSpan(number); });
      return box;
    });
    var line = shape("line", { y1: 54, y2: data.bottom, "class": "moment", visibility: "hidden" }, over);
    function words(span) {
      var kind = data.kinds[span[1]].replace("-", " "), version = span[5], stale = span[6];
      var said = [data.rows[span[0]][0], kind, span[4] ? "layer " + span[4] : "all layers"];
      if (version >= 0) { said.push("on version " + version + " of the weights"); }
      if (span[7]) { said.push("not used"); }
      else if (stale >= 0) { said.push(stale ? "staleness " + stale : "fresh (staleness 0)"); }
      return said.join(", ") + ", from " + seconds(span[2]) + " to " + seconds(span[3]) + ".";
    }
    function mark(number) {
      boxes.forEach(function (box, place) { box.classList.toggle("on", place === number); });
      at.span = number;
    }
    function showSpan(number) {
      mark(number);
      output.textContent = "Operation " + (number + 1) + " of " + boxes.length + ": " + words(data.spans[number]);
    }
    function showUpdate(number) {
      var ms = data.updates[number];
      at.update = number;
      mark(-1);
      line.setAttribute("x1", x(ms));
      line.setAttribute("x2", x(ms));
      line.setAttribute("visibility", "visible");
      var under = data.spans.filter(function (span) { return span[2] < ms && span[3] > ms && span[5] >= 0; });
      var old = under.filter(function (span) { return span[5] <= number; }).length;
      output.textContent = "Update " + (number + 1) + " of " + data.updates.length + ", at " + seconds(ms) + ": version "
        + (number + 1) + " of the weights. " + under.length + " operations under way, " + old + " on older weights.";
    }
    function step(count, now, by) { return Math.min(Math.max(now + by, 0), count - 1); }
    live.querySelectorAll("button").forEach(function (button) {
      var by = Number(button.dataset.by), spans = button.dataset.steps === "operations";
      button.hidden = !spans && !data.updates.length;
      button.addEventListener("click", function () {
        if (spans) { showSpan(step(boxes.length, at.span, by)); }
        else { showUpdate(step(data.updates.length, at.update, by)); }
      });
    });
    live.hidden = false;
  }
  document.querySelectorAll(".live").forEach(start);
})();

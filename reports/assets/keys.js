// j and k lead to the next and to the previous question; an answer within a toggle is opened when it is asked for.
(function () {
  "use strict";
  var places = Array.from(document.querySelectorAll("main > section.question"));
  addEventListener("keydown", function (event) {
    var typing = /^(input|select|textarea)$/i.test(event.target.tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || (event.key !== "j" && event.key !== "k")) { return; }
    var tops = places.map(function (one) { return one.getBoundingClientRect().top; });
    var below = tops.findIndex(function (top) { return top > 90; });
    var above = tops.reduce(function (last, top, at) { return top < -2 ? at : last; }, -1);
    var next = places[event.key === "j" ? below : above];
    if (next) {
      history.replaceState(null, "", "#" + next.id);
      next.scrollIntoView();
      next.querySelector("a").focus({ preventScroll: true });
    }
  });
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var one = target; one; one = one.parentElement) { if (one.tagName === "DETAILS") { one.open = true; } }
    if (target) { target.scrollIntoView(); }
  }
  addEventListener("hashchange", reveal);
  reveal();
})();

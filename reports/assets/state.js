// What a reader has chosen stands in the page's address, so that a link or a reload shows the same.
window.pageState = {
  get: function (name) { return new URLSearchParams(location.search).get(name); },
  set: function (name, value) {
    var address = new URL(location.href);
    if (value) { address.searchParams.set(name, value); } else { address.searchParams.delete(name); }
    history.replaceState(null, "", address);
  },
  // A list that keeps its value in the address; `then` runs on every change.
  keep: function (list, then) {
    var kept = this.get(list.name);
    if (Array.from(list.options).some(function (option) { return option.value === kept; })) { list.value = kept; }
    var state = this, first = list.options[0].value;
    list.addEventListener("change", function () {
      state.set(list.name, list.value === first ? "" : list.value);
      then();
    });
  },
};

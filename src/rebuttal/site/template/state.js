// What a reader has chosen stands in the page's address, so that a link or a reload shows the same.
window.pageState = {
  getAll: function (name) { return new URLSearchParams(location.search).getAll(name); },
  setAll: function (name, values) {
    var address = new URL(location.href);
    address.searchParams.delete(name);
    values.forEach(function (value) { address.searchParams.append(name, value); });
    history.replaceState(null, "", address);
  },
  set: function (name, value) { this.setAll(name, value ? [value] : []); },
  // A list takes the value that the address has, if it is one of its own.
  restore: function (list) {
    var kept = this.getAll(list.name)[0];
    if (Array.from(list.options).some(function (option) { return option.value === kept; })) { list.value = kept; }
  },
  // A list that keeps its value in the address; `then` runs on every change.
  keep: function (list, then) {
    this.restore(list);
    var state = this, first = list.options[0].value;
    list.addEventListener("change", function () {
      state.set(list.name, list.value === first ? "" : list.value);
      then();
    });
  },
};
